import { type AccessRule, demandOf, DomainError, type Identity, meets } from '@sextant/domain';
import { GraphQLError } from 'graphql';
import type { Guard, OperationRequest, PreparedOperation } from '../pipeline/operation.js';
import { isSelected, type ProtectedField, protectedFields } from './protected-fields.js';

/** A field of an operation that not everybody may see. */
interface GuardedField extends ProtectedField {
  rules: readonly AccessRule[];
  error: GraphQLError;
}

/** The protected fields of an operation, and what was found out about callers who came with it. */
interface Protection {
  fields: readonly GuardedField[];
  /** the ones that a caller may not see; a token that comes again brings the same identity */
  closedTo: WeakMap<Identity, readonly GuardedField[]>;
}

const PROTECTION = Symbol('protection');

/**
 * Who may see what. A field that the caller may not see is withheld: it is not fetched and answers null with FORBIDDEN, and
 * the rest of the answer is intact. A mutation or subscription with such a root field is refused whole.
 */
export function accessGuard(): Guard {
  return {
    name: 'access',
    check(request) {
      for (const field of closedFields(request)) {
        if (isSelected(field, request.variables)) request.withheld.set(field.coordinate, field.error);
      }
      return request.withheld.size === 0 ? undefined : refusedWhole(request);
    },
  };
}

function closedFields({ prepared, rules, context: { identity } }: OperationRequest): readonly GuardedField[] {
  const protection = prepared.memo(PROTECTION, () => protectionOf(prepared, rules));
  const known = protection.closedTo.get(identity);
  if (known) return known;
  const closed = protection.fields.filter((field) => !field.rules.every((rule) => meets(rule, identity)));
  protection.closedTo.set(identity, closed);
  return closed;
}

function protectionOf(prepared: PreparedOperation, rules: OperationRequest['rules']): Protection {
  const fields = protectedFields(prepared, rules).map((field) => {
    const own = rules.get(field.coordinate) ?? [];
    return { ...field, rules: own, error: forbidden(field.coordinate, own) };
  });
  return { fields, closedTo: new WeakMap() };
}

/** A mutation that may not be done in part is not done at all, and there are no events of a field that is withheld. */
function refusedWhole({ prepared, withheld }: OperationRequest): GraphQLError[] | undefined {
  if (prepared.type === 'query') return undefined;
  const root = `${prepared.schema.getRootType(prepared.type)?.name}.`;
  const refused = [...withheld].filter(([coordinate]) => coordinate.startsWith(root));
  if (refused.length === 0) return undefined;
  return refused.map(
    ([, { message, originalError }]) =>
      new GraphQLError(message, {
        extensions: { code: 'FORBIDDEN', http: { status: 403 } },
        ...(originalError && { originalError }),
      }),
  );
}

function forbidden(coordinate: string, rules: readonly AccessRule[]): GraphQLError {
  const message = `${demandOf(coordinate, rules)}: leave it out or get a token that has it`;
  return new GraphQLError(message, {
    extensions: { code: 'FORBIDDEN' },
    originalError: new DomainError('FORBIDDEN', message),
  });
}
