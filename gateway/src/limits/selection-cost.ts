/** What costs are computed from, beside the document. */
export type Variables = Readonly<Record<string, unknown>>;

/** A figure, or how it follows from variables. */
export type Amount = number | ((variables: Variables) => number);

/** `@skip` and `@include` on the way to a selection; all must hold. */
export interface Condition {
  variable: string;
  expected: boolean;
  outer: Condition | null;
}

/** One field of the answer and what it costs. */
export interface FieldCost {
  /** its name in the answer */
  key: string;
  /** it is selected when one of them holds; null: always */
  when: readonly Condition[] | null;
  /** of its arguments, once */
  input: Amount;
  /** of one value */
  weight: number;
  rows: number;
  /** how many values; null: one */
  size: Amount | null;
  selection: SelectionCost | null;
}

/** What is selected of objects of one type. */
export interface TypeSelection {
  /** all names in the answer, also of fields that cost nothing; null where the type is the only one */
  keys: ReadonlySet<string> | null;
  fields: readonly FieldCost[];
}

/** Cost and model rows of something. */
export interface Cost {
  cost: number;
  rows: number;
}

/**
 * What is selected of a composite value, for each type that it can have. Selections are shared where the document shares
 * them, so that their number is bounded by the document and not by its ways through abstract types.
 */
export class SelectionCost {
  private estimatedIn: object | null = null;
  private estimate: Cost = FREE;

  /** filled by the compiler after it is made, because selections meet themselves while they are compiled */
  types: readonly TypeSelection[] = [];

  /** The most that it costs of one value. `run` is one object for each evaluation; a selection is computed once in it. */
  estimated(variables: Variables, run: object): Cost {
    if (this.estimatedIn === run) return this.estimate;
    let cost = 0;
    let rows = 0;
    for (const { fields } of this.types) {
      const sum = sumOf(fields, variables, run);
      cost = Math.max(cost, sum.cost);
      rows = Math.max(rows, sum.rows);
    }
    this.estimatedIn = run;
    this.estimate = { cost, rows };
    return this.estimate;
  }

  /**
   * The names in the answer that lead to most of the estimate: each is at least half of what is selected beside it.
   *
   * @param run  as given to {@link estimated}
   */
  dearest(variables: Variables, run: object): string[] {
    let most = { total: 0, field: null as FieldCost | null };
    for (const { fields } of this.types)
      for (const field of fields) {
        const total = sumOf([field], variables, run).cost;
        if (total > most.total) most = { total, field };
      }
    if (!most.field || most.total < this.estimated(variables, run).cost / 2) return [];
    return [most.field.key, ...(most.field.selection?.dearest(variables, run) ?? [])];
  }

  /** What it cost as answered; never more than {@link estimated} where lists were as long as was estimated. */
  actual(value: Readonly<Record<string, unknown>>, variables: Variables): Cost {
    const [only] = this.types;
    if (this.types.length === 1 && only) return actualOf(only.fields, value, variables, null);
    const answered = Object.keys(value);
    const known = new Map<SelectionCost, Map<unknown, Cost>>();
    let cost = 0;
    let rows = 0;
    for (const { keys, fields } of this.types) {
      if (!answered.every((key) => keys?.has(key))) continue;
      const sum = actualOf(fields, value, variables, known);
      cost = Math.max(cost, sum.cost);
      rows = Math.max(rows, sum.rows);
    }
    return { cost, rows };
  }
}

const FREE: Cost = { cost: 0, rows: 0 };

export function amountOf(amount: Amount, variables: Variables): number {
  return typeof amount === 'number' ? amount : amount(variables);
}

function sumOf(fields: readonly FieldCost[], variables: Variables, run: object): Cost {
  let cost = 0;
  let rows = 0;
  for (const field of fields) {
    if (field.when !== null && !field.when.some((condition) => holds(condition, variables))) continue;
    const values = field.size === null ? 1 : amountOf(field.size, variables);
    const inner = field.selection?.estimated(variables, run) ?? FREE;
    cost += amountOf(field.input, variables) + values * (field.weight + inner.cost);
    rows += values * (field.rows + inner.rows);
  }
  return { cost, rows };
}

type Known = Map<SelectionCost, Map<unknown, Cost>> | null;

function actualOf(
  fields: readonly FieldCost[],
  value: Readonly<Record<string, unknown>>,
  variables: Variables,
  known: Known,
): Cost {
  let cost = 0;
  let rows = 0;
  for (const field of fields) {
    const answer = value[field.key];
    if (answer === undefined) continue;
    cost += amountOf(field.input, variables);
    if (answer === null) continue;
    const sum = valueCost(field, answer, variables, known);
    cost += sum.cost;
    rows += sum.rows;
  }
  return { cost, rows };
}

function valueCost(field: FieldCost, value: unknown, variables: Variables, known: Known): Cost {
  if (Array.isArray(value)) {
    let cost = 0;
    let rows = 0;
    for (const entry of value as unknown[]) {
      if (entry === null) continue;
      const sum = valueCost(field, entry, variables, known);
      cost += sum.cost;
      rows += sum.rows;
    }
    return { cost, rows };
  }
  const { weight, selection } = field;
  if (!selection) return { cost: weight, rows: field.rows };
  const inner = innerCost(selection, value as Record<string, unknown>, variables, known);
  return { cost: weight + inner.cost, rows: field.rows + inner.rows };
}

/** Types of one value often share what they select of its fields: that is walked once. */
function innerCost(
  selection: SelectionCost,
  value: Record<string, unknown>,
  variables: Variables,
  known: Known,
): Cost {
  const ofSelection = known?.get(selection);
  const before = ofSelection?.get(value);
  if (before) return before;
  const cost = selection.actual(value, variables);
  if (ofSelection) ofSelection.set(value, cost);
  else known?.set(selection, new Map([[value, cost]]));
  return cost;
}

function holds(condition: Condition | null, variables: Variables): boolean {
  for (let at = condition; at !== null; at = at.outer) {
    const value = variables[at.variable];
    if (typeof value === 'boolean' && value !== at.expected) return false;
  }
  return true;
}
