import { DomainError } from '@sextant/domain';
import { toColumnTable } from '@sextant/learning';
import { openLightGbm } from '@sextant/lightgbm';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { evaluateUplift } from '@sextant/training/uplift';
import { Command } from 'commander';
import { CsvFile } from './csv-file.js';
import { emitReport, type OutputFlags, type Print, withOutputFlags } from './evaluation-output.js';
import { isMissing } from './missing-cell.js';

export interface UpliftFlags {
  csv: string;
  treatment: string;
  treated?: string;
  control?: string;
  outcome: string;
  positive?: string;
  drop?: string;
  treatedShare?: string;
  observational?: boolean;
  cost?: string;
  value?: string;
  seed: string;
}

const NO = new Set(['0', 'false', 'no', 'n', 'f']);
const YES = new Set(['1', 'true', 'yes', 'y', 't']);

/** `sextant evaluate uplift`: whom an action changes. */
export function upliftCommand(print: Print): Command {
  const command = new Command('uplift')
    .description('learn whom an action changes from an experiment; one row a customer')
    .requiredOption('--csv <file>', 'plain or .gz')
    .requiredOption('--treatment <column>', 'which arm the customer was in')
    .option('--treated <value>', 'the arm that got the action (default: the one of 1, true, yes)')
    .option('--control <value>', 'the arm that did not (default: the other one, where there are two)')
    .requiredOption('--outcome <column>', 'what the customer did: two values')
    .option(
      '--positive <value>',
      'the value of the outcome that is wanted (default: the one of 1, true, yes)',
    )
    .option('--drop <a,b>', 'columns to leave out: ids, and what was recorded after the treatment')
    .option('--treated-share <p>', 'planned share of the treated among the two arms (default: 0.5)')
    .option('--observational', 'nobody drew lots: estimate the propensity from the columns')
    .option('--cost <amount>', 'of one action, with --value: what it is worth to treat whom')
    .option('--value <amount>', 'of one outcome, in the same currency');
  return withOutputFlags(command).action(async (flags: UpliftFlags & OutputFlags) => {
    await emitReport(await evaluateUpliftFile(flags), flags, print);
  });
}

/** @throws DomainError INVALID_INPUT for columns, values or flags that do not fit, DATA_INSUFFICIENT when an arm is too small */
export async function evaluateUpliftFile(flags: UpliftFlags): Promise<EvaluationReport> {
  const file = await CsvFile.read(flags.csv);
  const arms = armsOf(file, flags);
  const treatment = file.texts(flags.treatment);
  const outcome = file.texts(flags.outcome);
  const inArms = treatment.flatMap((arm, row) => (arm === arms.treated || arm === arms.control ? [row] : []));
  const ids = inArms.filter((row) => !isMissing(outcome[row] ?? ''));
  const unknown = inArms.length - ids.length;
  const left = unknown > 0 ? [`${unknown} rows left out: their "${flags.outcome}" is missing`] : [];
  const positive = positiveOf(file, flags, ids);
  const money = moneyOf(flags);
  const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
  const { lightGbm, notes } = await openLightGbm(library, 'linear learners alone were tried');
  try {
    const report = await evaluateUplift({
      rows: file.rows,
      table: featuresOf(file, flags, ids),
      ids,
      treated: Uint8Array.from(ids, (row) => Number(treatment[row] === arms.treated)),
      outcomes: Uint8Array.from(ids, (row) => Number(outcome[row] === positive)),
      arms,
      treatedShare: flags.observational ? null : shareOf(flags.treatedShare ?? '0.5'),
      money,
      lightGbm,
      seed: Number(flags.seed),
    });
    return { ...report, warnings: [...left, ...report.warnings, ...notes] };
  } finally {
    await lightGbm?.close();
  }
}

function featuresOf(
  file: CsvFile,
  { treatment, outcome, drop = '' }: UpliftFlags,
  ids: readonly number[],
): ReturnType<typeof toColumnTable> {
  const dropped = drop.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
  for (const name of dropped) file.texts(name);
  const left = new Set([treatment, outcome, ...dropped]);
  const columns = file.header
    .filter((name) => !left.has(name))
    .map((name) => {
      const cells = file.cells(name);
      return { name, values: ids.map((row) => (isMissing(cells[row] ?? '') ? null : (cells[row] ?? null))) };
    });
  return toColumnTable({ rows: ids.length, columns });
}

function armsOf(file: CsvFile, flags: UpliftFlags): { treated: string; control: string } {
  const values = distinct(file.texts(flags.treatment));
  for (const [flag, value] of [
    ['--treated', flags.treated],
    ['--control', flags.control],
  ] as const)
    if (value !== undefined && !values.includes(value))
      throw refused(flag, `no row has "${value}" in column "${flags.treatment}"; it has ${listed(values)}`);
  if (values.length < 2)
    throw refused(
      '--treatment',
      `column "${flags.treatment}" has ${listed(values)} only: customers with and without the action are needed`,
    );
  const treated =
    flags.treated ??
    (values.length === 2 && flags.control !== undefined
      ? values.find((value) => value !== flags.control)
      : yesOf(values));
  const control = flags.control ?? (values.length === 2 ? values.find((v) => v !== treated) : undefined);
  if (treated === undefined)
    throw refused(
      '--treated',
      `column "${flags.treatment}" has ${listed(values)}: name the one that got the action with --treated`,
    );
  if (control === undefined || control === treated)
    throw refused(
      '--control',
      `column "${flags.treatment}" has ${listed(values)}: name the one that did not get it with --control`,
    );
  return { treated, control };
}

function positiveOf(file: CsvFile, { outcome, positive }: UpliftFlags, ids: readonly number[]): string {
  const cells = file.texts(outcome);
  const values = distinct(ids.map((row) => cells[row] ?? ''));
  if (positive !== undefined && values.includes(positive)) return positive;
  if (positive !== undefined)
    throw refused('--positive', `no row has "${positive}" in column "${outcome}"; it has ${listed(values)}`);
  if (values.length !== 2)
    throw refused(
      '--outcome',
      `column "${outcome}" has ${values.length} values (${listed(values)}): an outcome has two; name the wanted one with --positive`,
    );
  const yes = yesOf(values);
  if (yes === undefined)
    throw refused(
      '--positive',
      `column "${outcome}" has ${listed(values)}: name the wanted one with --positive`,
    );
  return yes;
}

function yesOf(values: readonly string[]): string | undefined {
  const isPair = values.length === 2 && values.some((value) => NO.has(value.toLowerCase()));
  return isPair ? values.find((value) => YES.has(value.toLowerCase())) : undefined;
}

function moneyOf({ cost, value }: UpliftFlags): { cost: number; value: number } | null {
  if (cost === undefined && value === undefined) return null;
  if (cost === undefined || value === undefined)
    throw refused(cost === undefined ? '--cost' : '--value', '--cost and --value go together');
  return { cost: amountOf('--cost', cost), value: amountOf('--value', value) };
}

function amountOf(flag: string, text: string): number {
  const amount = Number(text);
  if (text.trim() !== '' && Number.isFinite(amount) && amount >= 0) return amount;
  throw refused(flag, `${flag} must be an amount of at least 0, got "${text}"`);
}

function shareOf(text: string): number {
  const share = Number(text);
  if (share > 0 && share < 1) return share;
  throw refused('--treated-share', `--treated-share must lie between 0 and 1, got "${text}"`);
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => !isMissing(value)).sort();
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, 6).map((value) => `"${value}"`);
  return values.length > 6 ? `${shown.join(', ')} and ${values.length - 6} more` : shown.join(', ');
}

function refused(path: string, message: string): DomainError {
  return new DomainError('INVALID_INPUT', message, { path });
}
