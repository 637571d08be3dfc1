import {
  encodeTable,
  fitLogistic,
  fitTableEncoder,
  linearMargins,
  type LogisticModel,
  logLosses,
  mean,
  sigmoid,
} from '@sextant/learning';
import { foldsByGroup, takeExamples, type TableExamples } from '@sextant/training/table';

/** Columns that are offered together. Sets are nested: each holds all of the one before it, and more. */
export interface ColumnSet {
  /** what it is, for the card */
  name: string;
  holds: (column: string) => boolean;
}

const FOLDS = 5;
/** Ridge strengths against the sum of log-losses, strongest first: each fit starts from the one before it. */
const STRENGTHS = [300, 100, 30, 10, 3];
/** More rows would not change the choice, and each costs fits. */
const MAX_ROWS = 3_000;
/** Under this many rows a fold says nothing. */
const MIN_ROWS = 100;

/**
 * Which columns to learn from: among a few hundred examples, dozens of collinear columns drown those that matter. Each set is
 * measured by the log-loss of ridge logistic regressions, cross-validated over groups; the smallest set is kept that is within
 * one standard error of the best (Breiman et al. 1984, "Classification and Regression Trees", the rule of one standard error,
 * here of the paired difference).
 *
 * @param examples  those before validation
 * @param sets      nested, the last one holds every column
 * @returns         one of `sets`; the last one where the examples are too few to tell
 */
export function chooseColumns(
  examples: TableExamples,
  sets: readonly ColumnSet[],
  seed: number,
): ColumnSet | null {
  const folds = foldsByGroup(examples, FOLDS, seed);
  const every = Math.max(1, Math.ceil(examples.labels.length / MAX_ROWS));
  const rows = Array.from(examples.labels.keys()).filter((row) => row % every === 0);
  const all = sets.at(-1) ?? null;
  if (rows.length < MIN_ROWS) return all;
  const sample = takeExamples(examples, rows);
  const foldOf = Uint8Array.from(rows, (row) => folds[row] ?? 0);
  const measured = sets.flatMap((set) => {
    const losses = heldOutLosses(withColumns(sample, set), foldOf);
    return losses === null ? [] : [{ set, losses }];
  });
  const [first] = measured;
  if (!first) return all;
  const best = measured.reduce((a, b) => (mean(b.losses) < mean(a.losses) ? b : a), first);
  return measured.find(({ losses }) => isWithinNoise(losses, best.losses))?.set ?? best.set;
}

/** The same examples with fewer columns. */
export function withColumns(examples: TableExamples, { holds }: ColumnSet): TableExamples {
  const { rows, columns } = examples.table;
  return { ...examples, table: { rows, columns: columns.filter(({ name }) => holds(name)) } };
}

/** Log-loss of each row by models that did not see its group, at the best strength; null where nothing can be learnt. */
function heldOutLosses(examples: TableExamples, foldOf: Uint8Array): Float64Array | null {
  const losses = STRENGTHS.map(() => new Float64Array(foldOf.length));
  const rows = Array.from(foldOf.keys());
  for (let fold = 0; fold < FOLDS; fold++) {
    const held = rows.filter((row) => foldOf[row] === fold);
    const fit = takeExamples(
      examples,
      rows.filter((row) => foldOf[row] !== fold),
    );
    const { encoding } = fitTableEncoder(fit.table, { purpose: 'linear' });
    const columns = encoding.features.length;
    if (columns === 0) return null;
    const input = { rows: encodeTable(encoding, fit.table), columns, labels: fit.labels };
    const test = takeExamples(examples, held);
    const testRows = encodeTable(encoding, test.table);
    let start: LogisticModel | undefined;
    for (const [i, strength] of STRENGTHS.entries()) {
      start = fitLogistic(input, { l2: strength / fit.labels.length, ...(start && { start }) });
      const probabilities = linearMargins(start, testRows).map(sigmoid);
      const own = logLosses(test.labels, probabilities);
      held.forEach((row, k) => losses[i]?.set(own.subarray(k, k + 1), row));
    }
  }
  return losses.reduce((a, b) => (mean(b) < mean(a) ? b : a));
}

/** Whether the mean paired difference is at most one standard error above 0. */
function isWithinNoise(losses: Float64Array, best: Float64Array): boolean {
  const differences = losses.map((loss, i) => loss - (best[i] ?? 0));
  const average = mean(differences);
  const variance = mean(differences.map((difference) => (difference - average) ** 2));
  return average <= Math.sqrt(variance / differences.length);
}
