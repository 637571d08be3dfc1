import { DomainError } from '@sextant/domain';
import { GraphQLError } from 'graphql';
import type { Guard } from '../pipeline/operation.js';
import type { Supergraph } from '../supergraph/supergraph.js';
import { FieldAccess } from './field-access.js';

/** Scopes: an operation that selects one field which the caller may not see is refused before any subgraph hears of it. */
export function accessGuard({ rules }: Supergraph): Guard {
  const access = new FieldAccess(rules);
  return {
    name: 'access',
    check({ prepared, variables, context }) {
      const { schema, document, name } = prepared;
      const operation = { schema, document, ...(name !== null && { operationName: name }), variables };
      const denied = access.denied(operation, context.identity.scopes);
      if (denied.length === 0) return undefined;
      const message = `your token does not open ${denied.slice(0, 10).join(', ')}: take them out of the operation or get a token with their scopes`;
      return [
        new GraphQLError(message, {
          extensions: { code: 'FORBIDDEN', http: { status: 403 } },
          originalError: new DomainError('FORBIDDEN', message),
        }),
      ];
    },
  };
}
