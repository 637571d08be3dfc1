import { type MonitoringReference, type ReferenceFeature, type ReferenceScore } from '@sextant/artefacts';
import { type ColumnPlan, planColumns, planScores, SketchPlan } from '../sketch/column-plan.js';
import { type BinCounts, TableSketch } from '../sketch/table-sketch.js';
import { type ColumnTable, takeRows } from '../tabular/column-table.js';
import { coarsened, stabilityBeyondChance, stabilityNoise, sum } from './column-shift.js';
import { countChanges, type FeatureChanges } from './feature-changes.js';

/** What training knows and monitoring will want; arrays have one entry a row of their table or score. */
export interface ReferenceInput {
  /** rows that were learnt from */
  table: ColumnTable;
  /** when a row was known, milliseconds since 1970; null where rows carry no times */
  at: ArrayLike<number> | null;
  /** whom a row is of; null where rows are of nobody */
  subjects: readonly string[] | null;
  /** how much each feature moves the answer, in any unit ≥ 0; columns that are not named are not watched */
  importance: ReadonlyMap<string, number>;
  /** answers on rows that the fit had not seen; labels 0 or 1, null where the answer is no probability of an outcome */
  scores: readonly { name: string; values: ArrayLike<number>; labels: ArrayLike<number> | null }[];
  threshold?: number | null;
  performance?: MonitoringReference['performance'];
}

const DAY_MS = 86_400_000;
/** The most important ones; the file stays below about 2 MB. */
const MAX_FEATURES = 2_000;
const MAX_CATEGORY_LENGTH = 200;
/** Fewer rows say little about what parts of a history differ by. */
const MIN_SLICE_ROWS = 100;
/** Fewer days are no history of weeks. */
const MIN_DAYS = 14;
const MAX_STRETCHES = 10;

/** What `monitor.json` holds. Equal input gives an equal value. @throws DomainError INVALID_INPUT where two columns have one name */
export function buildReference(input: ReferenceInput): MonitoringReference {
  const shares = sharesOf(input);
  const columns = input.table.columns.filter(({ name }) => shares.has(name));
  const table = { rows: input.table.rows, columns };
  const plans = planColumns(table).map(storable);
  const plan = new SketchPlan({ features: plans, scores: [] });
  const whole = sketchOf(plan, table);
  const slices = slicesOf(plan, { table, at: input.at });
  const changes = changesOf(table, input);
  const features = plans.map((each): ReferenceFeature => {
    const counts = whole.feature(each.name) ?? { bins: new Float64Array(1), missing: 0 };
    return {
      ...columnOf(each, counts),
      usual: usualOf(each, slices),
      importance: shares.get(each.name) ?? 0,
      changes: (changes.get(each.name) ?? []).filter(({ pairs }) => pairs > 0),
    };
  });
  return {
    formatVersion: 1,
    rows: table.rows,
    features,
    scores: input.scores.map(scoreOf),
    threshold: input.threshold ?? null,
    performance: input.performance ?? null,
  };
}

/** Importance as shares of all of it, rounded, of the most important features; ties by name. */
function sharesOf({ table, importance }: ReferenceInput): Map<string, number> {
  const known = table.columns.flatMap(({ name }) => {
    const value = importance.get(name);
    return value === undefined ? [] : [{ name, value: Number.isFinite(value) ? Math.max(0, value) : 0 }];
  });
  const total = [...importance.values()].reduce((all, value) => all + (value > 0 ? value : 0), 0);
  const largest = known
    .sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_FEATURES);
  return new Map(
    largest.map(({ name, value }) => [name, total === 0 ? 0 : Math.floor((1e6 * value) / total) / 1e6]),
  );
}

/** JSON has no infinity, and texts may be of any length. */
function storable(plan: ColumnPlan): ColumnPlan {
  if (plan.kind === 'numeric') return { ...plan, edges: plan.edges.filter(Number.isFinite) };
  return { ...plan, categories: plan.categories.filter(({ length }) => length <= MAX_CATEGORY_LENGTH) };
}

function sketchOf(plan: SketchPlan, table: ColumnTable): TableSketch {
  const sketch = new TableSketch(plan);
  sketch.addTable(table);
  return sketch;
}

/** Two parts of the reference; how far the second is from the first is usual. */
interface Slice {
  from: TableSketch;
  to: TableSketch;
}

/** Each weekday beside all rows, and each later stretch of time beside the earlier half, as serving comes after training. */
function slicesOf(
  plan: SketchPlan,
  { table, at }: { table: ColumnTable; at: ArrayLike<number> | null },
): Slice[] {
  if (at === null) return [];
  const whole = sketchOf(plan, table);
  const days = Array.from({ length: table.rows }, (_, row) => Math.floor((at[row] ?? 0) / DAY_MS));
  const isLong = new Set(days).size >= MIN_DAYS;
  const weekdays = isLong ? [...rowsBy(days.map((day) => ((day % 7) + 7) % 7)).values()] : [];
  const { earlier, later } = stretches(at, table.rows);
  const sketchOfRows = (rows: readonly number[]): TableSketch => sketchOf(plan, takeRows(table, rows));
  const before = sketchOfRows(earlier);
  return [
    ...weekdays
      .filter((rows) => rows.length >= MIN_SLICE_ROWS)
      .map((rows) => ({ from: whole, to: sketchOfRows(rows) })),
    ...later.map((rows) => ({ from: before, to: sketchOfRows(rows) })),
  ];
}

function stretches(at: ArrayLike<number>, rows: number): { earlier: number[]; later: number[][] } {
  const order = Array.from({ length: rows }, (_, row) => row).sort((a, b) => (at[a] ?? 0) - (at[b] ?? 0));
  const middle = Math.floor(rows / 2);
  const count = Math.min(MAX_STRETCHES, Math.floor((rows - middle) / MIN_SLICE_ROWS));
  const end = (i: number): number => middle + Math.floor((i * (rows - middle)) / count);
  return {
    earlier: order.slice(0, middle),
    later: Array.from({ length: count }, (_, i) => order.slice(end(i), end(i + 1))),
  };
}

function rowsBy(keys: readonly number[]): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (const [row, key] of keys.entries()) {
    const own = rows.get(key);
    if (own) own.push(row);
    else rows.set(key, [row]);
  }
  return rows;
}

/**
 * The most that weekdays and later stretches differ by beyond chance. A column that follows the calendar or grows with time differs much,
 * and so must a window before it counts as shifted.
 */
function usualOf({ name, kind }: ColumnPlan, slices: readonly Slice[]): ReferenceFeature['usual'] {
  const usual = { psi: 0, missing: 0 };
  for (const { from, to } of slices) {
    const [before, after] = [from.feature(name), to.feature(name)];
    if (before === null || after === null) continue;
    const bins = coarsened(kind, before.bins, after.bins);
    const psi = stabilityBeyondChance(bins) - stabilityNoise(bins);
    if (Number.isFinite(psi)) usual.psi = Math.max(usual.psi, psi);
    const rate = missingRate(before);
    const noise = Math.sqrt((rate * (1 - rate)) / to.rows);
    usual.missing = Math.max(usual.missing, Math.abs(missingRate(after) - rate) - noise);
  }
  return usual;
}

function missingRate({ bins, missing }: BinCounts): number {
  return missing === 0 ? 0 : missing / (sum(bins) + missing);
}

function changesOf(
  table: ColumnTable,
  { at, subjects }: ReferenceInput,
): Map<string, FeatureChanges['pairs']> {
  if (at === null || subjects === null) return new Map();
  return new Map(countChanges({ subjects, at, table }).map(({ name, pairs }) => [name, pairs]));
}

function columnOf(plan: ColumnPlan, counts: BinCounts) {
  const binning =
    plan.kind === 'numeric'
      ? { kind: plan.kind, edges: [...plan.edges] }
      : { kind: plan.kind, categories: [...plan.categories] };
  return { name: plan.name, binning, bins: [...counts.bins], missing: counts.missing };
}

function scoreOf({ name, values, labels }: ReferenceInput['scores'][number]): ReferenceScore {
  const plan = planScores(name, values);
  const own = new SketchPlan({ features: [], scores: [plan] });
  const countsOf = (numbers: ArrayLike<number>): BinCounts => {
    const sketch = new TableSketch(own);
    sketch.addScores(name, numbers);
    return sketch.score(name) ?? { bins: new Float64Array(1), missing: 0 };
  };
  const won = labels === null ? null : Array.from(values).filter((_, row) => labels[row] === 1);
  return {
    ...columnOf(plan, countsOf(values)),
    usual: { psi: 0, missing: 0 },
    positives: won === null ? null : [...countsOf(won).bins],
  };
}
