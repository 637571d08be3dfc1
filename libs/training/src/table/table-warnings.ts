import { categoricalView, type ColumnTable, numericView } from '@sextant/learning';
import { countPositives, type TableExamples } from './table-examples.js';

const FEW_POSITIVES = 100;
/** Share of rows from which equal rows are worth a sentence. */
const NOTICED_SHARE = 0.01;

/**
 * What a reader should know of the rows themselves; columns are the encoder's matter.
 *
 * @param examples  all rows, training and test
 */
export function rowWarnings(
  examples: TableExamples,
  trainRows: number[],
  testRows: readonly number[],
): string[] {
  const [train, test] = [labelsOf(examples, trainRows), labelsOf(examples, testRows)];
  const positives = countPositives(test);
  const rarer = Math.min(positives, test.length - positives);
  const few =
    rarer < FEW_POSITIVES
      ? [
          `few rows: the test rows have ${positives} positives and ${test.length - positives} negatives, so the intervals are wide`,
        ]
      : [];
  return [...few, ...duplicateWarnings(examples.table, trainRows, testRows), ...driftWarnings(train, test)];
}

/** Rows that are equal in all columns but the ones that tell rows apart. */
function duplicateWarnings(table: ColumnTable, trainRows: number[], testRows: readonly number[]): string[] {
  const identifying = table.columns.filter(isIdentifying).map(({ name }) => name);
  const prints = rowPrints(table, new Set(identifying));
  const known = new Set(trainRows.map((row) => prints[row]));
  const repeated = trainRows.length - known.size;
  const shared = testRows.filter((row) => known.has(prints[row])).length;
  const but =
    identifying.length > 0 ? ` in all but ${identifying.map((name) => `"${name}"`).join(', ')}` : '';
  const warnings: string[] = [];
  if (repeated > 0 && repeated >= NOTICED_SHARE * trainRows.length) {
    warnings.push(`duplicate rows: ${repeated} of ${trainRows.length} training rows equal another one${but}`);
  }
  if (shared > 0 && shared >= NOTICED_SHARE * testRows.length) {
    warnings.push(`duplicate rows: ${shared} of ${testRows.length} test rows equal a training row${but}`);
  }
  return warnings;
}

/** A whole number or a text of its own in every row; an amount may differ everywhere too and still says what the row is. */
function isIdentifying(column: ColumnTable['columns'][number]): boolean {
  const cells = column.kind === 'categorical' ? column.codes : column.values;
  if (new Set<number>(cells).size < cells.length) return false;
  const values = numericView(column);
  return column.kind === 'categorical' && values.every(Number.isNaN) ? true : values.every(Number.isInteger);
}

/** Equal for rows whose cells are equal; shape [rows]. */
function rowPrints({ rows, columns }: ColumnTable, without: ReadonlySet<string>): string[] {
  const codes = columns
    .filter(({ name }) => !without.has(name))
    .map((column) => categoricalView(column).codes);
  return Array.from({ length: rows }, (_, row) => codes.map((ofColumn) => ofColumn[row]).join());
}

function labelsOf({ labels }: TableExamples, rows: readonly number[]): Uint8Array {
  return Uint8Array.from(rows, (row) => labels[row] ?? 0);
}

function driftWarnings(train: Uint8Array, test: Uint8Array): string[] {
  const [before, after] = [rateOf(train), rateOf(test)];
  const deviation = Math.sqrt((before * (1 - before)) / test.length);
  const hasMoved = Math.abs(after - before) > 5 * deviation && Math.abs(after - before) > 0.2 * before;
  return hasMoved
    ? [
        `drift: the rate of positives is ${after.toFixed(3)} among the test rows against ${before.toFixed(3)} before; probabilities lag behind such a move`,
      ]
    : [];
}

function rateOf(labels: Uint8Array): number {
  return countPositives(labels) / labels.length;
}
