import { DomainError } from '@sextant/domain';
import type { Cell, DemandRow } from '@sextant/learning';
import { openLightGbm } from '@sextant/lightgbm';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { evaluatePrice, type PriceEvidence, type SeriesRow, withHistory } from '@sextant/training/price';
import { Command } from 'commander';
import { CsvFile } from './csv-file.js';
import { emitReport, type OutputFlags, type Print, withOutputFlags } from './evaluation-output.js';
import { unixMilliseconds } from './instants.js';
import { isMissing } from './missing-cell.js';
import { testRule } from './price-split.js';

export interface PriceFlags {
  csv: string;
  units: string;
  price: string;
  product?: string;
  store?: string;
  time?: string;
  context?: string;
  lags?: boolean;
  horizon?: string;
  cost?: string;
  instrument?: string;
  experiment?: string;
  split?: string;
  seed: string;
}

const DAY_MS = 86_400_000;
/** Numbers up to here count periods (weeks, days); dates are milliseconds. */
const LARGEST_PERIOD = 1e7;

/** `sextant evaluate price`: demand at a price, elasticities and what-if curves. */
export function priceCommand(print: Print): Command {
  const command = new Command('price')
    .description(
      'demand at a price: forecast, elasticities with intervals, what-if curves; one row a sale or a period',
    )
    .requiredOption('--csv <file>', 'plain or .gz')
    .requiredOption('--units <column>', 'units sold')
    .requiredOption('--price <column>', 'price of one unit, above 0')
    .option('--product <column>', 'what was sold (default: one product)')
    .option('--store <column>', 'where; context, and with the product the series of --lags')
    .option('--time <column>', 'ISO date, or the number of the period (week 348)')
    .option('--context <columns>', 'what else buyers see, e.g. feature,display; separated by commas')
    .option(
      '--lags',
      'units and prices of the past are known: a forecast --horizon periods ahead; needs --time',
    )
    .option('--horizon <n>', 'periods between what is known and the forecast', '1')
    .option('--cost <column>', 'cost of one unit: best prices for margin are named')
    .option(
      '--experiment <column>',
      '1 where the price was drawn at random: elasticities come from these rows',
    )
    .option(
      '--instrument <column>',
      'moves the price and nothing else, e.g. the cost: two-stage least squares',
    )
    .option(
      '--split <rule>',
      'crc32, last:0.2 (in time), or column:week>347 (default: last:0.2 with --time, else crc32)',
    );
  return withOutputFlags(command).action(async (flags: PriceFlags & OutputFlags) => {
    await emitReport(await evaluatePriceFile(flags), flags, print);
  });
}

/** @throws DomainError INVALID_INPUT for columns, cells or flags that do not fit, DATA_INSUFFICIENT when nothing can be trained */
export async function evaluatePriceFile(flags: PriceFlags): Promise<EvaluationReport> {
  const file = await CsvFile.read(flags.csv);
  const { kept, dropped } = usableRows(file, flags);
  const rows = demandRows(file, flags, kept);
  const isTestOf = testRule(file, flags);
  const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
  const { lightGbm, notes } = await openLightGbm(library, 'only log-log regressions were trained');
  try {
    const report = await evaluatePrice(
      {
        rows,
        isTest: kept.map((row) => isTestOf(row)),
        evidence: evidenceOf(file, flags, kept),
        costs: flags.cost === undefined ? null : pick(file.numbers(flags.cost), kept),
      },
      { seed: Number(flags.seed), lightGbm, notes: [...notes, ...dropped] },
    );
    return { ...report, rows: file.rows };
  } finally {
    await lightGbm?.close();
  }
}

/** Rows with a price above 0 and units that are not negative; what is left out is said. */
function usableRows(file: CsvFile, flags: PriceFlags): { kept: number[]; dropped: string[] } {
  const [prices, units] = [file.numbers(flags.price), file.numbers(flags.units)];
  const kept = [...prices.keys()].filter((row) => {
    const [price = NaN, sold = NaN] = [prices[row], units[row]];
    return price > 0 && Number.isFinite(price) && sold >= 0 && Number.isFinite(sold);
  });
  if (kept.length === 0)
    throw new DomainError(
      'INVALID_INPUT',
      `${file.name} has no row with a price above 0 in "${flags.price}" and units in "${flags.units}"`,
      { path: '--price' },
    );
  const left = file.rows - kept.length;
  return {
    kept,
    dropped:
      left > 0 ? [`${left} rows left out: price missing or not above 0, or units missing or negative`] : [],
  };
}

function demandRows(file: CsvFile, flags: PriceFlags, kept: readonly number[]): DemandRow[] {
  const [prices, units] = [file.numbers(flags.price), file.numbers(flags.units)];
  const products = flags.product === undefined ? null : file.texts(flags.product);
  const stores = flags.store === undefined ? null : file.texts(flags.store);
  const times = flags.time === undefined ? null : unixMilliseconds(file.times(flags.time));
  const contexts = contextOf(file, flags);
  const arePeriods = times !== null && times.every((time) => Math.abs(time) <= LARGEST_PERIOD);
  const row = (i: number): DemandRow => ({
    product: products?.[i] || 'product',
    price: prices[i] ?? 0,
    units: units[i] ?? 0,
    at: new Date((times?.[i] ?? 0) * (arePeriods ? DAY_MS : 1)),
    context: {
      ...contexts(i),
      ...(stores && flags.store !== undefined ? { [flags.store]: `${flags.store} ${stores[i] ?? ''}` } : {}),
    },
  });
  if (!flags.lags) return kept.map(row);
  if (times === null)
    throw new DomainError('INVALID_INPUT', '--lags needs --time, which orders the past', { path: '--lags' });
  const step = arePeriods ? 1 : smallestStep(times);
  const series = kept.map((i): SeriesRow => ({
    row: row(i),
    series: JSON.stringify([products?.[i], stores?.[i]]),
    period: Math.round((times[i] ?? 0) / step),
  }));
  return withHistory(series, { horizon: Number(flags.horizon ?? '1') });
}

/** Cells of the context columns; a column is numeric where every cell that is there is a number. */
function contextOf(file: CsvFile, { context, ...used }: PriceFlags): (row: number) => Record<string, Cell> {
  const names = (context ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const taken = names.find((name) => [used.units, used.price, used.product, used.store].includes(name));
  if (taken !== undefined)
    throw new DomainError(
      'INVALID_INPUT',
      `"${taken}" is already a column of its own: leave it out of --context`,
      {
        path: '--context',
      },
    );
  const columns = names.map((name) => {
    const texts = file.cells(name);
    const isNumeric = texts.every((text) => isMissing(text) || Number.isFinite(Number(text)));
    return { name, cellOf: (row: number) => cellOf(texts[row] ?? '', isNumeric) };
  });
  return (row) => Object.fromEntries(columns.map(({ name, cellOf: cell }) => [name, cell(row)]));
}

function cellOf(text: string, isNumeric: boolean): Cell {
  if (isMissing(text)) return null;
  return isNumeric ? Number(text) : text;
}

/** Least distance of two different times: the length of a period. */
function smallestStep(times: Float64Array): number {
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  return sorted.reduce(
    (least, time, i) => (i === 0 ? least : Math.min(least, time - (sorted[i - 1] ?? time))),
    DAY_MS * 366,
  );
}

function evidenceOf(file: CsvFile, flags: PriceFlags, kept: readonly number[]): PriceEvidence | null {
  if (flags.experiment !== undefined && flags.instrument !== undefined)
    throw new DomainError(
      'INVALID_INPUT',
      'give --experiment or --instrument, not both: an experiment is better',
      {
        path: '--instrument',
      },
    );
  if (flags.experiment !== undefined) {
    const values = file.texts(flags.experiment);
    const isYes = (text: string | undefined): boolean =>
      ['1', 'true', 'yes'].includes((text ?? '').toLowerCase());
    return { kind: 'experiment', randomised: kept.map((row) => isYes(values[row])) };
  }
  return flags.instrument === undefined
    ? null
    : { kind: 'instrument', values: pick(file.numbers(flags.instrument), kept) };
}

function pick(values: Float64Array, rows: readonly number[]): Float64Array {
  return Float64Array.from(rows, (row) => values[row] ?? Number.NaN);
}
