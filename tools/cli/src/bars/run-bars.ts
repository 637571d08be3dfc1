import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvaluationReport } from '@sextant/training/evaluation';
import type { Bar, BarRun } from './bar.js';

/** One figure beside its bar; figures are null where the evaluation failed or the report has no such metric. */
export interface BarResult {
  dataset: string;
  task: string;
  metric: string;
  measured: number | null;
  low: number | null;
  high: number | null;
  sense: Bar['sense'];
  bar: number;
  passed: boolean;
  /** Why there is no figure. */
  error?: string;
}

export interface BarOptions {
  /** Folder with one folder a data set. */
  data: string;
  /** Only runs whose data set or task contains this text. */
  only?: string;
  /** Told what is running, what was skipped and what failed. */
  say: (line: string) => void;
}

/**
 * Runs evaluations one after the other. A data set that is not there is skipped; an evaluation that throws is a missed
 * bar with its message, and the others go on.
 */
export async function runBars(runs: readonly BarRun[], options: BarOptions): Promise<BarResult[]> {
  const wanted = runs.filter((run) => isWanted(run, options.only));
  const results: BarResult[] = [];
  for (const [i, run] of wanted.entries()) {
    const name = `[${i + 1}/${wanted.length}] ${run.dataset}: ${run.task}`;
    const folder = join(options.data, run.dataset);
    if (!(await isThere(folder))) {
      options.say(`${name}: skipped, there is no ${folder}`);
      continue;
    }
    options.say(name);
    const startedAt = performance.now();
    const outcome = await evaluated(run, folder);
    if (typeof outcome === 'string') options.say(`${name}: failed, ${outcome}`);
    else options.say(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    results.push(...run.bars.map((bar) => resultOf(run, bar, outcome)));
  }
  return results;
}

function isWanted({ dataset, task }: BarRun, only: string | undefined): boolean {
  return only === undefined || dataset.includes(only) || task.includes(only);
}

async function isThere(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  );
}

async function evaluated(run: BarRun, folder: string): Promise<EvaluationReport | string> {
  try {
    return await run.evaluate(folder);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function resultOf({ dataset, task }: BarRun, bar: Bar, outcome: EvaluationReport | string): BarResult {
  const { metric, sense, bar: wanted } = bar;
  const head = { dataset, task, metric };
  const missed = (error: string): BarResult => ({
    ...head,
    ...{ measured: null, low: null, high: null, sense, bar: wanted, passed: false, error },
  });
  if (typeof outcome === 'string') return missed(outcome);
  const figure = figureOf(bar, outcome);
  if (typeof figure === 'string') return missed(figure);
  const { value, low = value, high = value } = figure;
  const passed = sense === 'at-least' ? value >= wanted : value <= wanted;
  return { ...head, measured: value, low, high, sense, bar: wanted, passed };
}

function figureOf(
  bar: Bar,
  report: EvaluationReport,
): { value: number; low?: number; high?: number } | string {
  if (bar.read === undefined) return report.metrics[bar.metric] ?? `the report has no metric ${bar.metric}`;
  try {
    return bar.read(report);
  } catch (error) {
    return `the figure cannot be read from the report: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The results as text for a terminal, one row a bar. */
export function barTable(results: readonly BarResult[]): string {
  const header = ['data set', 'task', 'metric', 'measured', 'interval', 'bar', 'reached'];
  const rows = results.map((result) => [
    result.dataset,
    result.task,
    result.metric,
    figure(result.measured),
    result.low === null ? '–' : `${figure(result.low)} to ${figure(result.high)}`,
    `${result.sense === 'at-least' ? '≥' : '≤'} ${result.bar}`,
    result.passed ? 'yes' : `NO${result.error === undefined ? '' : `: ${result.error}`}`,
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => [...(row[column] ?? '')].length)),
  );
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
      .join('  ')
      .trimEnd(),
  );
  const passed = results.filter((result) => result.passed).length;
  return `${lines.join('\n')}\n\n${passed} of ${results.length} bars reached\n`;
}

function figure(value: number | null): string {
  if (value === null) return '–';
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);
}
