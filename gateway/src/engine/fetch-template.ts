import { Kind, parse, type SelectionSetNode } from 'graphql';
import type { SubgraphFetch } from './engine.js';
import type { JsonObject } from './json.js';
import type { Fetching } from './query-plan.js';

/** What of a fetch is the same each time that its plan runs. */
export class FetchTemplate {
  readonly subgraph: string;
  private readonly fixed: Pick<SubgraphFetch, 'query' | 'queryJson' | 'operationName' | 'operationType'>;
  private readonly usages: readonly string[];
  private keys: ReadonlyMap<string, readonly string[]> | null = null;

  constructor(node: Fetching) {
    this.subgraph = node.serviceName;
    this.usages = node.variableUsages ?? [];
    this.fixed = {
      query: node.operation,
      queryJson: JSON.stringify(node.operation),
      operationName: node.operationName ?? undefined,
      operationType: node.operationKind ?? 'query',
    };
  }

  /** The fetch with the operation's variables that it uses. */
  fill(variables: Readonly<JsonObject>): Omit<SubgraphFetch, 'context'> {
    return { ...this.fixed, variables: this.usages.length > 0 ? this.used(variables) : undefined };
  }

  /**
   * The fetch with representations, each variable's list written as JSON already.
   *
   * @param lists  by name of the variable
   */
  fillWith(
    variables: Readonly<JsonObject>,
    lists: ReadonlyMap<string, { values: readonly JsonObject[]; json: string }>,
  ): Omit<SubgraphFetch, 'context'> {
    const used = this.used(variables);
    const parts = Object.keys(used).map((name) => `${JSON.stringify(name)}:${JSON.stringify(used[name])}`);
    for (const [name, { values, json }] of lists) {
      used[name] = values;
      parts.push(`${JSON.stringify(name)}:${json}`);
    }
    return { ...this.fixed, variables: used, variablesJson: `{${parts.join(',')}}` };
  }

  /** Response keys of what a root field of this fetch selects, one level deep; of the operation itself for ''. */
  keysOf(field: string): readonly string[] {
    this.keys ??= selectedKeys(this.fixed.query);
    return this.keys.get(field) ?? [];
  }

  private used(variables: Readonly<JsonObject>): JsonObject {
    const used: JsonObject = {};
    for (const name of this.usages) if (variables[name] !== undefined) used[name] = variables[name];
    return used;
  }
}

/** Response keys of an operation (by '') and of each of its root fields (by their response keys). */
function selectedKeys(text: string): ReadonlyMap<string, readonly string[]> {
  const document = parse(text, { noLocation: true });
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node.selectionSet] as const] : [],
    ),
  );
  const fieldsOf = (set: SelectionSetNode): { key: string; set?: SelectionSetNode | undefined }[] =>
    set.selections.flatMap((selection) => {
      if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsOf(selection.selectionSet);
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value);
        return fragment ? fieldsOf(fragment) : [];
      }
      const isMeta = selection.name.value === '__typename';
      return isMeta ? [] : [{ key: (selection.alias ?? selection.name).value, set: selection.selectionSet }];
    });
  const keys = new Map<string, string[]>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const roots = fieldsOf(definition.selectionSet);
    keys.set('', [...new Set(roots.map(({ key }) => key))]);
    for (const { key, set } of roots)
      keys.set(key, set ? [...new Set(fieldsOf(set).map((field) => field.key))] : []);
  }
  return keys;
}
