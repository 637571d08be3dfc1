import {
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';
import type { CacheableType, CachePolicy, CacheRules } from './cache-rules.js';

/** A fetch that may be answered from the cache, all of it. */
export interface CacheableFetch {
  policy: CachePolicy;
  /** object types that its answer shows: when one is invalidated, so is the answer */
  types: readonly string[];
  /** of a look-up of entities: response key of `_entities` and the variable with the representations */
  lookup: { key: string; variable: string } | null;
}

/** What a fetch is to the cache. */
export interface FetchNature {
  cacheable: CacheableFetch | null;
  /** of a mutation: types that it invalidates */
  invalidates: readonly string[];
}

const NOT_KEPT: FetchNature = { cacheable: null, invalidates: [] };

/** Tells from the text of a fetch whether everything that it selects is declared cacheable. */
export function natureOf(query: string, rules: CacheRules): FetchNature {
  const document = parse(query, { noLocation: true });
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (!operation) return NOT_KEPT;
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  if (operation.operation === 'mutation') {
    const fields = operation.selectionSet.selections.flatMap((node) =>
      node.kind === Kind.FIELD ? [node] : [],
    );
    const invalidates = fields.flatMap(({ name }) => rules.invalidates.get(name.value) ?? []);
    return { cacheable: null, invalidates };
  }
  if (operation.operation !== 'query') return NOT_KEPT;
  return { cacheable: new Reading(rules, fragments).read(operation), invalidates: [] };
}

/** Thrown for the first thing that is not declared. */
class Undeclared extends Error {}

class Reading {
  private maxAgeMs = Infinity;
  private staleIfErrorMs = Infinity;
  private readonly types = new Set<string>();

  constructor(
    private readonly rules: CacheRules,
    private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  ) {}

  read(operation: OperationDefinitionNode): CacheableFetch | null {
    try {
      const lookup = this.lookupOf(operation);
      if (!lookup) this.cover(operation.selectionSet, 'Query', false);
      if (!Number.isFinite(this.maxAgeMs)) return null; // nothing but keys
      const policy = { maxAgeMs: this.maxAgeMs, staleIfErrorMs: this.staleIfErrorMs };
      return { policy, types: [...this.types], lookup };
    } catch (error) {
      if (error instanceof Undeclared) return null;
      throw error;
    }
  }

  private lookupOf({ selectionSet }: OperationDefinitionNode): CacheableFetch['lookup'] {
    const [root, ...others] = selectionSet.selections;
    if (root?.kind !== Kind.FIELD || root.name.value !== '_entities') return null;
    const [argument] = root.arguments ?? [];
    if (others.length > 0 || argument?.value.kind !== Kind.VARIABLE || !root.selectionSet)
      throw new Undeclared();
    for (const selection of root.selectionSet.selections) {
      if (selection.kind === Kind.FIELD && selection.name.value === '__typename') continue;
      const entity = selection.kind === Kind.FIELD ? undefined : this.fragmentOf(selection);
      if (!entity) throw new Undeclared();
      this.cover(entity.set, entity.type, false);
    }
    return { key: (root.alias ?? root.name).value, variable: argument.value.name.value };
  }

  /** @param isCovered  below a field that is declared */
  private cover(set: SelectionSetNode, typeName: string, isCovered: boolean): void {
    const type = this.rules.types.get(typeName);
    if (!type) throw new Undeclared();
    this.types.add(typeName);
    for (const selection of set.selections) {
      if (selection.kind !== Kind.FIELD) {
        const fragment = this.fragmentOf(selection);
        this.cover(fragment.set, fragment.type || typeName, isCovered);
      } else if (selection.name.value !== '__typename') this.coverField(selection, type, isCovered);
    }
  }

  private coverField({ name, selectionSet }: FieldNode, type: CacheableType, isCovered: boolean): void {
    const field = type.fields.get(name.value);
    if (!field) throw new Undeclared();
    const isKey = type.isEntity && type.keyFields.has(name.value) && !selectionSet;
    if (field.policy) {
      this.maxAgeMs = Math.min(this.maxAgeMs, field.policy.maxAgeMs);
      this.staleIfErrorMs = Math.min(this.staleIfErrorMs, field.policy.staleIfErrorMs);
    } else if (!isKey && (type.isEntity || !isCovered)) throw new Undeclared();
    if (selectionSet) this.cover(selectionSet, field.type, true);
  }

  private fragmentOf(selection: Exclude<SelectionSetNode['selections'][number], FieldNode>): {
    set: SelectionSetNode;
    type: string;
  } {
    if (selection.kind === Kind.INLINE_FRAGMENT)
      return { set: selection.selectionSet, type: selection.typeCondition?.name.value ?? '' };
    const fragment = this.fragments.get(selection.name.value);
    if (!fragment) throw new Undeclared();
    return { set: fragment.selectionSet, type: fragment.typeCondition.name.value };
  }
}
