import type { Measured } from '@sextant/artefacts';
import { type ColumnDrift, DRIFT_LEVEL, type DriftReport } from '@sextant/learning/drift';
import type { EvaluationReport, Plot } from '@sextant/training/evaluation';
import { Command } from 'commander';
import { driftOfFiles } from './drift/drift-of-files.js';
import { emitReport, type OutputFlags, type Print, withOutputFlags } from './evaluation-output.js';
import { listed } from './table-file.js';

export interface DriftFlags {
  reference: string;
  current: string;
  drop?: string;
}

const SHOWN_COLUMNS = 20;

/** `sextant evaluate drift`: which columns of a table are distributed otherwise than they were. */
export function driftCommand(print: Print): Command {
  const command = new Command('drift')
    .description('which columns of a table are distributed otherwise than in a reference window')
    .requiredOption(
      '--reference <file>',
      'CSV (plain or .gz): the window to compare with, e.g. what a model was trained on',
    )
    .requiredOption('--current <file>', 'CSV with the same columns: the window to judge')
    .option('--drop <columns>', 'columns to leave out, separated by commas: keys, dates, counters');
  return withOutputFlags(command).action(async (flags: DriftFlags & OutputFlags) => {
    await emitReport(await evaluateDriftFiles(flags), flags, print);
  });
}

/** @throws DomainError IMPORT_SOURCE_INVALID for a file that cannot be read, DATA_INSUFFICIENT for one without rows */
export async function evaluateDriftFiles(flags: DriftFlags): Promise<EvaluationReport> {
  return reportOf(await driftOfFiles(flags, new Set(listed(flags.drop))));
}

function reportOf(drift: DriftReport): EvaluationReport {
  const { columns, rows, gone, added } = drift;
  const drifted = columns.filter((column) => column.drifted);
  const names =
    drifted.length === 0 ? 'no column drifted' : `drifted: ${drifted.map(({ name }) => name).join(', ')}`;
  const largest = Math.max(0, ...columns.map(({ psi }) => psi));
  return {
    task: 'drift',
    rows: rows.reference + rows.current,
    test: rows.current,
    chosen: names,
    because: `${drifted.length} of ${columns.length} columns differ beyond chance (any false alarm in a table: at most ${DRIFT_LEVEL})`,
    metrics: { driftedColumns: exactly(drifted.length), largestPsi: exactly(largest) },
    baselines: {},
    leaks: [],
    warnings: [
      ...drifted.map(sentenceOf),
      ...gone.map((name) => `column "${name}" is gone`),
      ...added.map((name) => `column "${name}" is new and is compared with nothing`),
    ],
    details: { columns, gone, added },
    plots: [psiPlot(columns)],
  };
}

function sentenceOf({ name, psi, size, found, missingRate, newCategories }: ColumnDrift): string {
  const { reference, current } = missingRate;
  const parts = [`"${name}": ${size} drift, PSI ${psi.toPrecision(3)}`];
  if (found.length > 0) parts.push(`seen in ${found.join(', ')}`);
  if (found.includes('missing')) parts.push(`missing ${percent(reference)} before, ${percent(current)} now`);
  const [first] = newCategories;
  if (found.includes('new category') && first) parts.push(`new: "${first.category}" in ${first.rows} rows`);
  return parts.join('; ');
}

function psiPlot(columns: readonly ColumnDrift[]): Plot {
  const shown = columns.toSorted((a, b) => b.psi - a.psi).slice(0, SHOWN_COLUMNS);
  const bars = (isDrifted: boolean): [string, number][] =>
    shown.filter(({ drifted }) => drifted === isDrifted).map(({ name, psi }) => [name, psi]);
  return {
    title: 'Population stability index by column',
    kind: 'bar',
    x: 'column',
    y: 'PSI',
    series: [
      { name: 'drifted', points: bars(true) },
      { name: 'within chance', points: bars(false) },
    ],
  };
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(3)} %`;
}

function exactly(value: number): Measured {
  return { value, low: value, high: value, level: 1 };
}
