import { DomainError } from '@sextant/domain';
import { type CustomerInteractions, wordsOf } from '@sextant/learning/recommend';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { evaluateRecommend, parseSplitRule } from '@sextant/training/recommend';
import { Command } from 'commander';
import { CsvFile } from './csv-file.js';
import { emitReport, type OutputFlags, type Print, withOutputFlags } from './evaluation-output.js';
import { unixMilliseconds } from './instants.js';
import { rowsByKey } from './rows-by-key.js';

export interface RecommendFlags {
  csv: string;
  user: string;
  item: string;
  rating?: string;
  relevant?: string;
  time?: string;
  itemsCsv?: string;
  itemText?: string;
  split?: string;
  splits?: string;
  seed: string;
}

const MOST_SPLITS = 100;

/** `sextant evaluate recommend`: which items a customer meets next. */
export function recommendCommand(print: Print): Command {
  const command = new Command('recommend')
    .description('rank items for each customer by what they met before; one row an interaction')
    .requiredOption('--csv <file>', 'plain or .gz')
    .requiredOption('--user <column>', 'who')
    .requiredOption('--item <column>', 'what')
    .option('--rating <column>', 'a number; with --relevant it says which interactions count for an item')
    .option('--relevant <n>', 'lowest rating that counts for (default: every interaction does)')
    .option('--time <column>', 'ISO date-time or a number (default: rows stand in order of time)')
    .option('--items-csv <file>', 'what is known of items, one row each, in a column of the name of --item')
    .option('--item-text <columns>', 'columns of --items-csv with text or categories, separated by commas')
    .option('--split <rule>', 'last:SHARE or random:SHARE of each customer is the test', 'last:0.2')
    .option('--splits <n>', 'random splits to average over', '1');
  return withOutputFlags(command).action(async (flags: RecommendFlags & OutputFlags) => {
    await emitReport(await evaluateRecommendFile(flags), flags, print);
  });
}

/** @throws DomainError INVALID_INPUT for flags, columns or cells that do not fit, DATA_INSUFFICIENT when nobody can be judged */
export async function evaluateRecommendFile(flags: RecommendFlags): Promise<EvaluationReport> {
  const split = parseSplitRule(flags.split ?? 'last:0.2');
  const splits = Number(flags.splits ?? '1');
  if (!Number.isInteger(splits) || splits < 1 || splits > MOST_SPLITS)
    throw invalid('--splits', `a whole number from 1 to ${MOST_SPLITS}`, flags.splits);
  if (splits > 1 && split.kind === 'last') throw invalid('--splits', '1 with a split by time', flags.splits);
  const file = await CsvFile.read(flags.csv);
  const { customers, warnings } = customersOf(file, flags);
  const report = await evaluateRecommend({
    customers,
    rows: file.rows,
    split,
    splits,
    seed: Number(flags.seed),
    ...(flags.itemsCsv === undefined ? {} : { words: await wordsOfItems(flags.itemsCsv, flags) }),
    lightGbm: await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null),
  });
  return { ...report, warnings: [...warnings, ...report.warnings] };
}

/** Each customer's interactions in order of time; those of the same time in order of their items, numbers by value. */
function customersOf(
  file: CsvFile,
  flags: RecommendFlags,
): { customers: CustomerInteractions[]; warnings: string[] } {
  const items = file.texts(flags.item);
  const times = timesOf(file, flags);
  const relevant = relevanceOf(file, flags);
  const { rowsOf, warnings } = rowsByKey(file, flags.user, flags.item);
  const { compare } = new Intl.Collator('en', { numeric: true });
  const customers = [...rowsOf].map(([customerId, rows]) => ({
    customerId,
    interactions: rows
      .sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || compare(items[a] ?? '', items[b] ?? ''))
      .map((row) => ({ itemId: items[row] ?? '', at: times[row] ?? 0, relevant: relevant(row) })),
  }));
  return { customers, warnings };
}

async function wordsOfItems(
  path: string,
  { item, itemText }: RecommendFlags,
): Promise<Map<string, string[]>> {
  if (itemText === undefined)
    throw invalid('--item-text', 'columns of --items-csv, e.g. title,genres', itemText);
  const file = await CsvFile.read(path);
  const columns = itemText.split(',').map((column) => file.texts(column.trim()));
  const words = columns.map((cells) => cells.map(wordsOf));
  return new Map(file.texts(item).map((id, row) => [id, words.flatMap((own) => own[row] ?? [])]));
}

/** Unix milliseconds; the number of the row where there is no column. Numbers of the size of Unix seconds are taken for such. */
function timesOf(file: CsvFile, { time }: RecommendFlags): Float64Array {
  if (time === undefined) return Float64Array.from({ length: file.rows }, (_, row) => row);
  return unixMilliseconds(file.times(time));
}

function relevanceOf(file: CsvFile, { rating, relevant }: RecommendFlags): (row: number) => boolean {
  if (relevant === undefined) return () => true;
  const lowest = Number(relevant);
  if (!Number.isFinite(lowest)) throw invalid('--relevant', 'a number', relevant);
  if (rating === undefined) throw invalid('--rating', 'given where --relevant is', rating);
  const ratings = file.numbers(rating);
  return (row) => (ratings[row] ?? Number.NaN) >= lowest;
}

function invalid(path: string, wanted: string, actual: string | undefined): DomainError {
  return new DomainError('INVALID_INPUT', `${path} must be ${wanted}, got "${actual ?? ''}"`, { path });
}
