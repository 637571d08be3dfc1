import type { Measured } from '@sextant/artefacts';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { alignedRows } from '../output/aligned-rows.js';

/** The report as text for a terminal: what was chosen and why, each metric beside the baselines, leaks and warnings. */
export function reportTable(report: EvaluationReport): string {
  const names = Object.keys(report.baselines);
  const header = ['metric', 'value', 'interval', ...names];
  const rows = Object.entries(report.metrics).map(([name, metric]) => [
    name,
    figure(metric.value),
    `${figure(metric.low)} to ${figure(metric.high)}`,
    ...names.map((baseline) => valueOf(report.baselines[baseline]?.[name])),
  ]);
  return [
    headline(report),
    `chosen: ${report.chosen}`,
    `because: ${report.because}`,
    '',
    ...alignedRows([header, ...rows]),
    ...listed('leaks', report.leaks),
    ...listed('warnings', report.warnings),
    '',
  ].join('\n');
}

/** Segments have no test rows: what is measured is how they describe the rows that they were found in, and come back. */
function headline({ task, rows, test }: EvaluationReport): string {
  return task === 'segments'
    ? `segments: found in ${rows} rows, ${test} of them described`
    : `${task}: ${rows} rows, measured on ${test} that no choice has seen`;
}

function listed(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  - ${line}`)];
}

function valueOf(metric: Measured | undefined): string {
  return metric === undefined ? '–' : figure(metric.value);
}

function figure(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(4) : String(value);
}
