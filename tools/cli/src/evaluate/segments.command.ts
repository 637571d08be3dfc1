import { DomainError } from '@sextant/domain';
import { isIdentifier } from '@sextant/learning/tabular';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { evaluateSegments, rfmRows } from '@sextant/training/segments';
import { Command, Option } from 'commander';
import { calendarDays } from './calendar-days.js';
import { CsvFile } from './csv-file.js';
import { emitReport, type OutputFlags, type Print, withOutputFlags } from './evaluation-output.js';
import { isMissing } from './missing-cell.js';
import { listed } from './table-file.js';

export interface SegmentsFlags {
  csv: string;
  columns?: string;
  drop?: string;
  rfm?: boolean;
  customer?: string;
  date?: string;
  amount?: string;
  maxSegments: string;
  method?: 'k-means' | 'weighted' | 'mixture';
  seed: string;
}

/** `sextant evaluate segments`: how many kinds of customers there are, what they are like, and whether they would be found again. */
export function segmentsCommand(print: Print): Command {
  const command = new Command('segments')
    .description('find segments of customers, one row each; with --rfm one row a purchase')
    .requiredOption('--csv <file>', 'plain or .gz')
    .option('--columns <a,b>', 'numeric columns to segment by; all numeric ones when absent')
    .option('--drop <a,b>', 'columns to leave out: ids, answers')
    .option('--rfm', 'the file is a purchase log: segment by recency, frequency and money')
    .option('--customer <column>', 'with --rfm: who bought')
    .option('--date <column>', 'with --rfm: day or time of the purchase')
    .option('--amount <column>', 'with --rfm: value of the row')
    .option('--max-segments <n>', 'largest number to try', '10')
    .addOption(
      new Option('--method <name>', 'weighted from six columns on, k-means below, when absent').choices([
        'k-means',
        'weighted',
        'mixture',
      ]),
    );
  return withOutputFlags(command).action(async (flags: SegmentsFlags & OutputFlags) => {
    await emitReport(await evaluateSegmentsFile(flags), flags, print);
  });
}

/** @throws DomainError INVALID_INPUT for columns, cells or flags that do not fit, DATA_INSUFFICIENT when there is nothing to segment */
export async function evaluateSegmentsFile(flags: SegmentsFlags): Promise<EvaluationReport> {
  const maxSegments = Number(flags.maxSegments);
  if (!Number.isInteger(maxSegments) || maxSegments < 2 || maxSegments > 50)
    throw invalid('--max-segments', `must be a whole number from 2 to 50, got "${flags.maxSegments}"`);
  const file = await CsvFile.read(flags.csv);
  const options = {
    read: file.rows,
    seed: Number(flags.seed),
    maxSegments,
    ...(flags.method !== undefined && { method: flags.method }),
  };
  if (flags.rfm) {
    const rfm = purchasesOf(file, flags);
    const rows = rfm.map(({ recencyDays, frequency, monetary }) => [recencyDays, frequency, monetary]);
    return evaluateSegments({ columns: ['recency', 'frequency', 'monetary'], rows, rfm, ...options });
  }
  const { columns, warnings } = chosenColumns(file, flags);
  const values = columns.map((name) => file.numbers(name));
  const rows = Array.from({ length: file.rows }, (_, i) => values.map((column) => column[i] ?? NaN));
  const known = rows.filter((row) => !row.every(Number.isNaN));
  const report = evaluateSegments({ columns, rows: known, ...options });
  return { ...report, warnings: [...warnings, ...report.warnings] };
}

function purchasesOf(file: CsvFile, { customer, date, amount }: SegmentsFlags) {
  if (customer === undefined || date === undefined || amount === undefined)
    throw invalid('--rfm', 'needs --customer, --date and --amount: name the columns of the purchase log');
  const names = file.texts(customer);
  const amounts = file.numbers(amount);
  const texts = file.texts(date);
  const kept = [...names.keys()].filter(
    (row) => !isMissing(names[row] ?? '') && !Number.isNaN(amounts[row] ?? NaN),
  );
  const days = calendarDays(
    kept.map((row) => texts[row] ?? ''),
    date,
  );
  return rfmRows(
    kept.map((row, i) => ({
      customer: names[row] ?? '',
      day: Math.floor(days[i] ?? 0),
      amount: amounts[row] ?? 0,
    })),
  );
}

/** The named columns, else every column whose cells are all numbers or missing, but for those that only number the rows. */
function chosenColumns(
  file: CsvFile,
  { columns, drop }: SegmentsFlags,
): { columns: string[]; warnings: string[] } {
  const dropped = new Set(listed(drop));
  const unknown = [...dropped, ...listed(columns)].find((name) => !file.header.includes(name));
  if (unknown !== undefined)
    throw invalid('--columns', `"${unknown}" is no column of the file: it has ${file.header.join(', ')}`);
  if (columns !== undefined)
    return { columns: listed(columns).filter((name) => !dropped.has(name)), warnings: [] };
  const numeric = file.header.filter((name) => !dropped.has(name) && isNumeric(file.cells(name)));
  const identifiers = numeric.filter((name) => {
    const present = file.numbers(name).filter((value) => !Number.isNaN(value));
    return isIdentifier(name, present.sort());
  });
  const kept = numeric.filter((name) => !identifiers.includes(name));
  if (kept.length === 0)
    throw invalid('--columns', 'no column holds numbers only: name the columns to segment by');
  return {
    columns: kept,
    warnings: identifiers.map(
      (name) => `column "${name}" left out: it numbers the rows; name it with --columns to keep it`,
    ),
  };
}

function isNumeric(cells: readonly string[]): boolean {
  return cells.every((text) => isMissing(text) || Number.isFinite(Number(text)));
}

function invalid(flag: string, message: string): DomainError {
  return new DomainError('INVALID_INPUT', `${flag} ${message}`, { path: flag });
}
