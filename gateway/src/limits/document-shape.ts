import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** Figures of one operation with its fragments put in place of their spreads. */
export interface DocumentShape {
  /** nesting of fields; a root field has 1 */
  depth: number;
  /** fields and fragments that are selected */
  selections: number;
  aliases: number;
  rootFields: number;
  directives: number;
  /** fields that ask for the same place of the answer as another one: each is compared with the others by validation */
  repeats: number;
}

/** What a document is like, told in time linear in its length however often its fragments are spread. */
export interface DocumentFigures {
  /** the largest of any operation, figure by figure */
  largest: DocumentShape;
  /** fragments that spread themselves, as `A → B → A`; null when there are none */
  cycle: string | null;
  unusedFragments: readonly string[];
}

/** Figures stop here: whatever is larger is refused all the same. */
const MANY = 1_000_000;

/** Names of fields at one place of the answer, with how often each is selected there. */
type Names = Map<string, number>;

/**
 * Measures a parsed document, valid or not.
 *
 * @param enough  selections of an operation from which on its repeats are not counted any more, so that time stays linear
 */
export function documentFigures(document: DocumentNode, enough: number): DocumentFigures {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const operations: OperationDefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
  }
  const measure = new Measure(fragments, enough);
  const largest: DocumentShape = { ...NOTHING };
  for (const operation of operations) {
    const measured = measure.of(operation.selectionSet);
    measured.directives += operation.directives?.length ?? 0;
    for (const figure of FIGURES) largest[figure] = Math.max(largest[figure], measured[figure]);
  }
  const cycle = measure.cycle ?? measure.cycleOutside();
  const unusedFragments = [...fragments.keys()].filter((name) => !measure.reached.has(name));
  return { largest, cycle, unusedFragments };
}

const NOTHING: DocumentShape = {
  depth: 0,
  selections: 0,
  aliases: 0,
  rootFields: 0,
  directives: 0,
  repeats: 0,
};
const FIGURES = Object.keys(NOTHING) as (keyof DocumentShape)[];

/** Of one selection set; its own fields are its root fields. */
interface Measured extends DocumentShape {
  names: Names;
}

class Measure {
  /** fragments that an operation spreads */
  readonly reached = new Set<string>();
  cycle: string | null = null;
  private readonly known = new Map<string, Measured>();
  private readonly path: string[] = [];

  constructor(
    private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    private readonly enough: number,
  ) {}

  of(selectionSet: SelectionSetNode): Measured {
    const sum = { ...NOTHING, names: new Map() as Names };
    for (const selection of selectionSet.selections) {
      sum.selections = atMost(sum.selections + 1);
      sum.directives = atMost(sum.directives + (selection.directives?.length ?? 0));
      if (selection.kind === Kind.FIELD) this.addField(sum, selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) this.add(sum, this.of(selection.selectionSet));
      else this.add(sum, this.ofFragment(selection.name.value));
    }
    return sum;
  }

  /** A cycle among fragments that no operation reaches. */
  cycleOutside(): string | null {
    const reached = new Set(this.reached);
    for (const name of this.fragments.keys()) if (this.cycle === null) this.ofFragment(name);
    this.reached.clear();
    for (const name of reached) this.reached.add(name);
    return this.cycle;
  }

  private addField(sum: Measured, { alias, name, selectionSet }: FieldNode): void {
    if (alias && alias.value !== name.value) sum.aliases = atMost(sum.aliases + 1);
    sum.rootFields = atMost(sum.rootFields + 1);
    const key = alias?.value ?? name.value;
    const before = sum.names.get(key) ?? 0;
    sum.names.set(key, atMost(before + 1));
    if (before > 0) sum.repeats = atMost(sum.repeats + 1);
    if (!selectionSet) {
      sum.depth = Math.max(sum.depth, 1);
      return;
    }
    const inner = this.of(selectionSet);
    sum.depth = Math.max(sum.depth, 1 + inner.depth);
    sum.selections = atMost(sum.selections + inner.selections);
    sum.aliases = atMost(sum.aliases + inner.aliases);
    sum.directives = atMost(sum.directives + inner.directives);
    // below a repeated field every field may be compared with those of its twin
    sum.repeats = atMost(sum.repeats + inner.repeats + (before > 0 ? inner.selections : 0));
  }

  /** Puts what a fragment selects beside what is selected already. */
  private add(sum: Measured, inner: Measured): void {
    const { depth } = sum;
    for (const figure of FIGURES) sum[figure] = atMost(sum[figure] + inner[figure]);
    sum.depth = Math.max(depth, inner.depth);
    if (sum.selections > this.enough) return;
    for (const [name, count] of inner.names) {
      const before = sum.names.get(name) ?? 0;
      if (before > 0) sum.repeats = atMost(sum.repeats + count);
      sum.names.set(name, before + count);
    }
  }

  private ofFragment(name: string): Measured {
    const fragment = this.fragments.get(name);
    const nothing: Measured = { ...NOTHING, names: new Map() };
    if (!fragment) return nothing; // unknown: validation says so
    this.reached.add(name);
    const known = this.known.get(name);
    if (known) return known;
    const at = this.path.indexOf(name);
    if (at >= 0) {
      this.cycle ??= [...this.path.slice(at), name].join(' → ');
      return nothing;
    }
    this.path.push(name);
    const measured = this.of(fragment.selectionSet);
    measured.directives = atMost(measured.directives + (fragment.directives?.length ?? 0));
    this.path.pop();
    this.known.set(name, measured);
    return measured;
  }
}

function atMost(value: number): number {
  return Math.min(value, MANY);
}
