import { GraphQLError } from 'graphql';
import type { Guard } from '../pipeline/operation.js';

/** Lets requests that must not change anything, those by GET, run no mutation. */
export const readOnlyGuard: Guard = {
  name: 'read-only',
  check({ prepared, context }) {
    if (!context.isReadOnly || prepared.type !== 'mutation') return undefined;
    const message = `a mutation is not served by GET: send it with POST`;
    return [new GraphQLError(message, { extensions: { code: 'METHOD_NOT_ALLOWED', http: { status: 405 } } })];
  },
};
