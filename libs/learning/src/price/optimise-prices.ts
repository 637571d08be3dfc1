import { DomainError } from '@sextant/domain';
import { earnings, type PriceObjective } from './price-objective.js';

/** One product of a group whose prices are found together. */
export interface JointProduct {
  id: string;
  /** Admissible prices in minor units, ascending and distinct: floor, ceiling, step and rounding are in them (`planPrices`). */
  prices: readonly number[];
  /** Expected units at each price, shape of `prices`. */
  units: readonly number[];
  costMinor: number;
  /** Units that can be sold; null = not limited. */
  stock: number | null;
}

/** What prices of different products owe each other. */
export type ParityRule =
  /** All of them cost the same, e.g. one article in several regions. */
  | { kind: 'same-price'; products: readonly string[] }
  /** A unit of the larger pack does not cost more than one of the smaller: price / size does not rise with the size. */
  | { kind: 'unit-price'; smaller: string; larger: string; smallerSize: number; largerSize: number };

export interface JointPrices {
  /** Price of each product, minor units. */
  priceMinor: ReadonlyMap<string, number>;
  /** Sum of margin or revenue, minor units a period. */
  total: number;
}

/** A price to be found: one product, or several that share a price. */
interface Variable {
  prices: number[];
  values: number[];
}

/** price(larger) × smallerSize ≤ price(smaller) × largerSize, between variables. */
interface Constraint {
  smaller: number;
  larger: number;
  smallerSize: number;
  largerSize: number;
}

/** Given the price of its neighbour, the best price of an eliminated variable. */
interface Elimination {
  variable: number;
  neighbour: number;
  /** Index into the variable's prices for each price of the neighbour; −1 where none fits. */
  choice: Int32Array;
}

interface Problem {
  products: readonly JointProduct[];
  variables: Variable[];
  variableOf: ReadonlyMap<string, number>;
  constraints: Constraint[];
}

/** Assignments that the enumeration of a cyclic rest may try before it gives up. */
const MAX_TRIED = 20_000_000;

/**
 * Prices of a group of products that earn most together and keep every parity rule: the exact optimum over the grids of prices. Products that must
 * cost the same become one variable; rules between two variables that form no cycle are solved by dynamic programming from the leaves, what
 * remains by enumeration with a bound. Of equal totals the lower prices win.
 *
 * @throws DomainError INVALID_INPUT for a product without prices or with numbers that do not fit, a rule about a product that is
 *   not there, rules that no prices keep, or cyclic rules over grids too large to enumerate
 */
export function optimisePrices(
  products: readonly JointProduct[],
  { objective, parity }: { objective: PriceObjective; parity: readonly ParityRule[] },
): JointPrices {
  products.forEach(checkProduct);
  const problem = problemOf(products, objective, parity);
  const eliminations = eliminateLeaves(problem);
  const eliminated = new Set(eliminations.map(({ variable }) => variable));
  const rest = problem.variables.flatMap((_, v) => (eliminated.has(v) ? [] : [v]));
  const chosen = enumerate(problem, rest, eliminated);
  for (const { variable, neighbour, choice } of eliminations.toReversed())
    chosen[variable] = choice[chosen[neighbour] ?? 0] ?? 0;
  return resultOf(problem, chosen, objective);
}

function invalid(message: string, path: string): DomainError {
  return new DomainError('INVALID_INPUT', message, { path });
}

function checkProduct({ id, prices, units, costMinor, stock }: JointProduct): void {
  if (prices.length === 0 || prices.length !== units.length)
    throw invalid(
      `${id} has ${prices.length} prices and ${units.length} numbers of units: give one a price`,
      'prices',
    );
  if (prices.some((price, i) => !Number.isSafeInteger(price) || price < 0 || price <= (prices[i - 1] ?? -1)))
    throw invalid(`${id}: prices must be ascending integers of minor units`, 'prices');
  if (
    units.some((value) => !Number.isFinite(value) || value < 0) ||
    !(costMinor >= 0) ||
    !((stock ?? 0) >= 0)
  )
    throw invalid(`${id}: units, cost and stock must not be negative`, 'units');
}

function problemOf(
  products: readonly JointProduct[],
  objective: PriceObjective,
  parity: readonly ParityRule[],
): Problem {
  const indexOf = new Map(products.map(({ id }, index) => [id, index]));
  if (indexOf.size !== products.length) throw invalid('a product stands twice in the group', 'products');
  const find = (id: string): number => {
    const index = indexOf.get(id);
    if (index === undefined) throw invalid(`a parity rule names ${id}, which is not in the group`, 'parity');
    return index;
  };
  const leader = products.map((_, index) => index);
  for (const rule of parity) {
    if (rule.kind !== 'same-price') continue;
    const [first = 0, ...others] = rule.products.map((id) => leader[find(id)] ?? 0);
    for (const other of others) leader.forEach((l, i) => (leader[i] = l === other ? first : l));
  }
  const leaders = [...new Set(leader)];
  const variableOf = new Map(products.map(({ id }, i) => [id, leaders.indexOf(leader[i] ?? 0)]));
  const variables = leaders.map((lead) =>
    variableFrom(
      products.filter((_, i) => leader[i] === lead),
      objective,
    ),
  );
  const constraints = parity.flatMap((rule) => {
    if (rule.kind !== 'unit-price') return [];
    const [smaller, larger] = [rule.smaller, rule.larger].map((id) => {
      find(id);
      return variableOf.get(id) ?? 0;
    });
    return [constraintOf(rule, smaller ?? 0, larger ?? 0)];
  });
  return { products, variables, variableOf, constraints };
}

function constraintOf(
  { smaller: small, larger: large, smallerSize, largerSize }: Extract<ParityRule, { kind: 'unit-price' }>,
  smaller: number,
  larger: number,
): Constraint {
  if (!(smallerSize > 0) || !(largerSize > smallerSize))
    throw invalid(`${large} must be larger than ${small}, got ${largerSize} and ${smallerSize}`, 'parity');
  return { smaller, larger, smallerSize, largerSize };
}

/** The prices that all members have, with what they earn together. */
function variableFrom(members: readonly JointProduct[], objective: PriceObjective): Variable {
  const [first, ...others] = members;
  const shared = (first?.prices ?? []).filter((price) =>
    others.every(({ prices }) => prices.includes(price)),
  );
  if (shared.length === 0)
    throw invalid(
      `${members.map(({ id }) => id).join(', ')} must cost the same and have no price in common`,
      'parity',
    );
  return {
    prices: shared,
    values: shared.map((price) => members.reduce((sum, member) => sum + earned(member, price, objective), 0)),
  };
}

function earned(product: JointProduct, priceMinor: number, objective: PriceObjective): number {
  const units = Math.min(
    product.units[product.prices.indexOf(priceMinor)] ?? 0,
    product.stock ?? Number.POSITIVE_INFINITY,
  );
  return earnings(objective, { units, priceMinor, costMinor: product.costMinor });
}

/** Whether prices number a of variable u and b of variable v keep every rule between the two (or of u with itself). */
function isAllowed(
  { variables, constraints }: Problem,
  [u, a]: [number, number],
  [v, b]: [number, number],
): boolean {
  const priceOf = (variable: number): number => variables[variable]?.prices[variable === u ? a : b] ?? 0;
  return constraints.every(({ smaller, larger, smallerSize, largerSize }) => {
    const isBetween = (smaller === u && larger === v) || (smaller === v && larger === u);
    return !isBetween || priceOf(larger) * smallerSize <= priceOf(smaller) * largerSize;
  });
}

/** Takes variables with a single neighbour out, one by one, and adds the best they can earn to the neighbour's values. */
function eliminateLeaves(problem: Problem): Elimination[] {
  const { variables, constraints } = problem;
  const neighbours = variables.map(
    (_, v) =>
      new Set(
        constraints
          .flatMap(({ smaller, larger }) => (smaller === v ? [larger] : larger === v ? [smaller] : []))
          .filter((other) => other !== v),
      ),
  );
  const eliminations: Elimination[] = [];
  for (;;) {
    const variable = neighbours.findIndex(({ size }) => size === 1);
    if (variable < 0) return eliminations;
    const [neighbour = 0] = neighbours[variable] ?? [];
    eliminations.push({ variable, neighbour, choice: message(problem, variable, neighbour) });
    neighbours[variable]?.clear();
    neighbours[neighbour]?.delete(variable);
  }
}

function message(problem: Problem, leaf: number, neighbour: number): Int32Array {
  const [own, other] = [problem.variables[leaf], problem.variables[neighbour]];
  if (!own || !other) throw new RangeError('a rule names a variable that is not there');
  const choice = new Int32Array(other.prices.length).fill(-1);
  other.values = other.values.map((value, b) => {
    let [best, at] = [Number.NEGATIVE_INFINITY, -1];
    for (const [a, gain] of own.values.entries()) {
      if (gain > best && isAllowed(problem, [leaf, a], [neighbour, b])) [best, at] = [gain, a];
    }
    choice[b] = at;
    return value + best;
  });
  return choice;
}

/** Depth-first over what is left, best values first, cut where even the best of the rest cannot win. */
function enumerate(problem: Problem, rest: readonly number[], eliminated: ReadonlySet<number>): number[] {
  const { variables } = problem;
  const chosen = variables.map(() => 0);
  const best = { total: Number.NEGATIVE_INFINITY, chosen: [] as number[] };
  const bounds = rest.map((_, depth) =>
    rest.slice(depth).reduce((sum, v) => sum + Math.max(...(variables[v]?.values ?? [0])), 0),
  );
  let tried = 0;
  const descend = (depth: number, sum: number): void => {
    const v = rest[depth];
    if (v === undefined) {
      if (sum > best.total) Object.assign(best, { total: sum, chosen: [...chosen] });
      return;
    }
    const values = variables[v]?.values ?? [];
    const order = values.map((_, a) => a).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
    for (const a of order) {
      const value = values[a] ?? 0;
      if (!(sum + value + (bounds[depth + 1] ?? 0) > best.total)) return;
      if (++tried > MAX_TRIED)
        throw invalid(
          `parity rules in a cycle over ${rest.length} prices cannot be searched: use a coarser step`,
          'parity',
        );
      const fits = rest
        .slice(0, depth + 1)
        .every((u) => eliminated.has(u) || isAllowed(problem, [u, u === v ? a : (chosen[u] ?? 0)], [v, a]));
      if (!fits) continue;
      chosen[v] = a;
      descend(depth + 1, sum + value);
    }
  };
  descend(0, 0);
  if (best.total === Number.NEGATIVE_INFINITY)
    throw invalid(
      'no prices within their bounds keep every parity rule: widen a floor or a ceiling',
      'parity',
    );
  return best.chosen;
}

function resultOf(
  { products, variables, variableOf }: Problem,
  chosen: readonly number[],
  objective: PriceObjective,
): JointPrices {
  const priceMinor = new Map(
    products.map(({ id }) => {
      const variable = variableOf.get(id) ?? 0;
      return [id, variables[variable]?.prices[chosen[variable] ?? 0] ?? 0] as const;
    }),
  );
  const total = products.reduce(
    (sum, product) => sum + earned(product, priceMinor.get(product.id) ?? 0, objective),
    0,
  );
  return { priceMinor, total };
}
