import { type DocumentNode, executeSync, type FieldNode, Kind } from 'graphql';
import type { PreparedOperation } from '../pipeline/operation.js';
import type { JsonObject } from './json.js';
import { isIntrospection } from './planned-text.js';
import { fragmentsOf, type SelectedFields } from './selected-fields.js';

/** Values of `__schema` and `__type`, by response key; null where an operation does not ask for them. */
export function introspect(
  { schema, document, operation }: PreparedOperation,
  selected: SelectedFields,
  variables: Readonly<JsonObject>,
): JsonObject | null {
  const query = schema.getQueryType();
  if (!query || operation.operation !== 'query') return null;
  const fields: FieldNode[] = [...selected.ofOperation(query).values()]
    .flat()
    .filter((node) => isIntrospection(node))
    .map((node) => ({ ...node, directives: [] }));
  if (fields.length === 0) return null;
  const asked: DocumentNode = {
    kind: Kind.DOCUMENT,
    definitions: [
      { ...operation, selectionSet: { kind: Kind.SELECTION_SET, selections: fields } },
      ...fragmentsOf(document).values(),
    ],
  };
  const { data } = executeSync({ schema, document: asked, variableValues: variables });
  return data ?? null;
}
