import { type Random, randomInteger, randomNormal, seededRandom } from '../random/seeded-random.js';
import { sigmoid } from '../score/logistic.js';
import { TableSketch } from '../sketch/table-sketch.js';
import { planOfReference } from '../sketch/reference-plan.js';
import { type ColumnTable, tableOfRecords, takeRows } from '../tabular/column-table.js';
import type { MonitoringReference } from '@sextant/artefacts';
import { buildReference } from './build-reference.js';
import { countChanges } from './feature-changes.js';
import type { WindowInput } from './window-analysis.js';
import { measuredAuc } from '../metrics/bootstrap.js';

const DAY_MS = 86_400_000;
const BEGIN = Date.UTC(2026, 0, 1);

/** What is changed in a window; nothing when absent. */
export interface Change {
  /** added to the activity behind spend, visits and recency, in standard deviations */
  activity?: number;
  /** added to spend's logarithm only */
  spend?: number;
  missing?: number;
  /** recency of a customer stays what it was at the first decision */
  isStale?: boolean;
  /** the outcome's log-odds are multiplied by this */
  meaning?: number;
  /** added to the outcome's log-odds */
  odds?: number;
  /** the activity of the group `b` is lowered by so much */
  gap?: number;
  /** the region of this share of decisions says the group */
  proxy?: number;
}

export interface SimulatedRows {
  table: ColumnTable;
  subjects: string[];
  at: Float64Array;
  scores: Float64Array;
  labels: Uint8Array;
  groups: string[];
}

/**
 * Decisions of a company: four correlated columns with heavy tails, mixes that change with the weekday, customers of their own kind who
 * come several times, missing cells, a column that follows the calendar, one that grows with time, and one that the model does not use.
 */
export function simulate(
  seed: number,
  { from, days, perDay, change = {} }: { from: number; days: number; perDay: number; change?: Change },
): SimulatedRows {
  const random = seededRandom(seed);
  const rows: SimulatedRow[] = [];
  const frozen = new Map<string, number>();
  const customers = Math.max(40, perDay * 3);
  for (let day = from; day < from + days; day++) {
    const busy = Math.max(1, Math.round(perDay * (isAtWeekend(day) ? 1.3 : 0.9)));
    for (let i = 0; i < busy; i++) {
      const row = decision(random, { customer: randomInteger(random, customers), day, change });
      if (change.isStale) {
        row.cells.recency = frozen.get(row.subject) ?? row.cells.recency;
        frozen.set(row.subject, row.cells.recency);
      }
      rows.push({ ...row, at: BEGIN + day * DAY_MS + (i / busy) * DAY_MS });
    }
  }
  return {
    table: tableOfRecords(rows.map(({ cells }) => cells)),
    subjects: rows.map(({ subject }) => subject),
    at: Float64Array.from(rows, ({ at }) => at),
    scores: Float64Array.from(rows, ({ score }) => score),
    labels: Uint8Array.from(rows, ({ label }) => label),
    groups: rows.map(({ group }) => group),
  };
}

interface SimulatedRow {
  cells: Record<string, number | string | null> & { recency: number };
  subject: string;
  group: string;
  score: number;
  label: number;
  at: number;
}

/** The first day is a Thursday. */
function isAtWeekend(day: number): boolean {
  return [2, 3].includes(day % 7);
}

function decision(
  random: Random,
  { customer, day, change }: { customer: number; day: number; change: Change },
): Omit<SimulatedRow, 'at'> {
  const isWeekend = isAtWeekend(day);
  const group = customer % 2 === 0 ? 'a' : 'b';
  const own = randomNormal(seededRandom(7_000 + customer));
  const moved = (change.activity ?? 0) + (isWeekend ? 0.15 : 0) - (group === 'b' ? (change.gap ?? 0) : 0);
  const activity = 0.8 * own + 0.6 * randomNormal(random) + moved;
  const spend = Math.exp(1.5 * activity + randomNormal(random) + (change.spend ?? 0));
  const visits = Math.floor(Math.exp(0.8 * activity + 0.6 * randomNormal(random)));
  const recency = Math.floor(20 * Math.exp(-0.7 * activity + 0.5 * randomNormal(random)));
  const region =
    random() < (change.proxy ?? 0)
      ? `${group}${randomInteger(random, 4)}`
      : `${'ab'[randomInteger(random, 2)] ?? ''}${randomInteger(random, 4)}`;
  const odds = -0.9 + 0.45 * Math.log(spend) - 0.03 * Math.min(recency, 60) + 0.2 * Math.min(visits, 10);
  const chance = sigmoid((change.meaning ?? 1) * odds + (change.odds ?? 0));
  return {
    cells: {
      spend,
      visits: random() < 0.03 + (change.missing ?? 0) ? null : visits,
      recency,
      channel: random() < (isWeekend ? 0.7 : 0.5) ? 'app' : random() < 0.5 ? 'web' : 'shop',
      region,
      noise: randomNormal(random) ** 3,
      weekday: `d${day % 7}`,
      tenure: day + randomInteger(random, 400),
      unused: randomInteger(random, 4),
    },
    subject: `c${customer}`,
    group,
    score: sigmoid(odds),
    label: random() < chance ? 1 : 0,
  };
}

export const IMPORTANCE = new Map([
  ['spend', 4],
  ['recency', 3],
  ['visits', 1.5],
  ['region', 0.6],
  ['channel', 0.5],
  ['noise', 0.1],
  ['weekday', 0.6],
  ['tenure', 0.6],
]);

/** Sixty days of training, the last fifth of which was held out. */
export function referenceOf(seed: number, perDay: number): MonitoringReference {
  const rows = simulate(seed, { from: 0, days: 60, perDay });
  const held = Math.floor(rows.scores.length * 0.8);
  const [scores, labels] = [rows.scores.slice(held), rows.labels.slice(held)];
  return buildReference({
    table: rows.table,
    at: rows.at,
    subjects: rows.subjects,
    importance: IMPORTANCE,
    scores: [{ name: 'probability', values: scores, labels }],
    threshold: 0.5,
    performance: {
      measure: 'auc',
      value: measuredAuc(labels, scores, { seed, resamples: 60, level: 0.95 }),
      rows: labels.length,
      positives: labels.reduce((sum, label) => sum + label, 0),
    },
  });
}

/** Decisions are looked up so many days before a window, to see what changed since. */
const BEFORE_DAYS = 7;

/** A window as the collector hands it over. */
export function windowOf(
  reference: MonitoringReference,
  seed: number,
  shown: { from: number; days: number; perDay: number; change?: Change },
): WindowInput {
  const all = simulate(seed, { ...shown, from: shown.from - BEFORE_DAYS, days: shown.days + BEFORE_DAYS });
  const begin = BEGIN + shown.from * DAY_MS;
  const rows = [...all.at.keys()].filter((row) => (all.at[row] ?? 0) >= begin);
  const of = <T>(values: ArrayLike<T>): T[] => rows.flatMap((row) => values[row] ?? []);
  const [table, scores, subjects] = [takeRows(all.table, rows), of(all.scores), of(all.subjects)];
  const sketch = new TableSketch(planOfReference(reference));
  sketch.addTable(table);
  sketch.addScores('probability', scores);
  return {
    sketch,
    subjects: new Set(subjects).size,
    decisions: {
      scores,
      labels: of(all.labels),
      table,
      traits: new Map([['gender', of(all.groups)]]),
      subjects,
    },
    changes: countChanges(all, begin),
  };
}
