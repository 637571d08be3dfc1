import { Kind, type SelectionSetNode } from 'graphql';
import type { Guard, PreparedOperation } from '../pipeline/operation.js';
import type { ClientRegistry } from './client-settings.js';
import { refusal } from './refusal.js';

const INTROSPECTS = Symbol('asks for the schema');

/** The schema is for those whom the settings let see it; `__typename` is for everybody. */
export function introspectionGuard(clients: ClientRegistry): Guard {
  return {
    name: 'introspection',
    check({ prepared, context }) {
      if (!prepared.memo(INTROSPECTS, introspects)) return undefined;
      if (clients.settingsFor(context.identity, context.audience).introspection) return undefined;
      const message = 'your role may not ask for the schema: docs/reference holds it';
      return [refusal('INTROSPECTION_DISABLED', message, { status: 403 })];
    },
  };
}

/** `__schema` and `__type` are fields of the root only; fragments are followed. */
function introspects({ operation, document }: PreparedOperation): boolean {
  const seen = new Set<string>();
  const asks = ({ selections }: SelectionSetNode): boolean =>
    selections.some((selection) => {
      if (selection.kind === Kind.FIELD)
        return selection.name.value === '__schema' || selection.name.value === '__type';
      if (selection.kind === Kind.INLINE_FRAGMENT) return asks(selection.selectionSet);
      const name = selection.name.value;
      if (seen.has(name)) return false;
      seen.add(name);
      const fragment = document.definitions.find(
        (definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === name,
      );
      return fragment?.kind === Kind.FRAGMENT_DEFINITION && asks(fragment.selectionSet);
    });
  return asks(operation.selectionSet);
}
