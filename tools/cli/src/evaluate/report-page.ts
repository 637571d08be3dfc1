import type { EvaluationReport, Plot } from '@sextant/training/evaluation';
import { shortNumber } from './axis.js';
import { escapeHtml, htmlTable } from './html.js';
import { plotSvg } from './plot-svg.js';

/** Figures of a chart that are listed below it; of more, evenly spaced ones. */
const LISTED_POINTS = 25;
/** Longer details are left to the JSON. */
const MAX_DETAILS = 20_000;

/**
 * The report as one HTML page: no script, nothing to fetch, light or dark as the reader's system. Every text of the data is escaped.
 */
export function reportPage(report: EvaluationReport): string {
  const title = `Evaluation: ${report.task}`;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${escapeHtml(title)}</h1>`,
    `<p>${shortNumber(report.rows)} rows; measured on ${shortNumber(report.test)} that no choice has seen.</p>`,
    `<dl><dt>Chosen</dt><dd>${escapeHtml(report.chosen)}</dd><dt>Because</dt><dd>${escapeHtml(report.because)}</dd></dl>`,
    ...listed('Leaks', report.leaks),
    ...listed('Warnings', report.warnings),
    metricsTable(report),
    ...report.plots.map(plotSection),
    detailsOf(report),
    '</main></body></html>',
    '',
  ].join('\n');
}

function listed(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const items = lines.map((text) => `<li>${escapeHtml(text)}</li>`).join('');
  return [`<section class="notice"><h2>${title}</h2><ul>${items}</ul></section>`];
}

function metricsTable({ metrics, baselines }: EvaluationReport): string {
  const names = Object.keys(baselines);
  const rows = Object.entries(metrics).map(([name, { value, low, high, level }]) => [
    name,
    shortNumber(value),
    low === high ? '–' : `${shortNumber(low)} to ${shortNumber(high)} (${shortNumber(100 * level)} %)`,
    ...names.map((baseline) =>
      shortNumber(baselines[baseline]?.[name]?.value ?? Number.NaN).replace('NaN', '–'),
    ),
  ]);
  return `<div class="scroll">${htmlTable('Metrics on the test rows', [['metric', 'value', 'interval', ...names], ...rows])}</div>`;
}

function plotSection(plot: Plot, i: number): string {
  const tables = plot.series.map(({ name, points }) => {
    const shown = evenly(points, LISTED_POINTS);
    const caption =
      shown.length < points.length ? `${name}: ${shown.length} of ${points.length} points` : name;
    const rows = shown.map(([x, y]) => [typeof x === 'number' ? shortNumber(x) : x, shortNumber(y)]);
    return htmlTable(caption, [[plot.x, plot.y], ...rows]);
  });
  return [
    `<section><h2>${escapeHtml(plot.title)}</h2><figure>`,
    plotSvg(plot, `plot-${i}`),
    `</figure><details><summary>Figures</summary><div class="tables">${tables.join('\n')}</div></details></section>`,
  ].join('\n');
}

function evenly<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  return Array.from({ length: most }, (_, i) => Math.round((i * (values.length - 1)) / (most - 1))).flatMap(
    (at) => values.slice(at, at + 1),
  );
}

function detailsOf({ details }: EvaluationReport): string {
  if (Object.keys(details).length === 0) return '';
  const text = JSON.stringify(details, null, 2);
  const shown =
    text.length <= MAX_DETAILS
      ? text
      : `${text.slice(0, MAX_DETAILS)}\n… the rest is in the output of --json`;
  return `<section><h2>Details</h2><details><summary>As JSON</summary><pre>${escapeHtml(shown)}</pre></details></section>`;
}

/** Series differ by dash as well as by colour; contrast is at least 3:1 for lines and 4.5:1 for text in both schemes. */
const STYLE = `
:root{color-scheme:light dark;--text:#1b1f24;--back:#fff;--faint:#57606a;--grid:#d8dee4;--notice:#fff8e1;--s0:#0b5fc4;--s1:#c2410c;--s2:#157347;--s3:#8a1fa8;--s4:#8a6100;--s5:#b4144f}
@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--back:#0f1419;--faint:#9aa7b4;--grid:#303a44;--notice:#2b2410;--s0:#6cb2ff;--s1:#ff9d5c;--s2:#5fd08f;--s3:#d69bff;--s4:#e3b341;--s5:#ff8fb3}}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:46rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{color:var(--faint)}dd{margin:0}
.notice{background:var(--notice);padding:.1rem 1rem;border-left:4px solid var(--s4)}.notice h2{margin:.5rem 0}
.scroll{overflow-x:auto}table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--faint)}th,td{padding:.2rem .7rem;border-bottom:1px solid var(--grid);text-align:right;white-space:nowrap}
th[scope=row],thead th:first-child{text-align:left;font-weight:normal}
figure{margin:0}svg{max-width:100%;height:auto;display:block}
.tick{fill:var(--faint);font-size:12px}.name{fill:var(--text);font-size:13px;text-anchor:middle}.end{text-anchor:end}.middle{text-anchor:middle}
.grid{stroke:var(--grid);fill:none}.line{fill:none;stroke-width:2}.key{width:24px;height:8px;display:inline-block;margin-right:.4rem}
.line.s0{stroke:var(--s0)}.line.s1{stroke:var(--s1);stroke-dasharray:7 3}.line.s2{stroke:var(--s2);stroke-dasharray:2 3}.line.s3{stroke:var(--s3);stroke-dasharray:10 3 2 3}.line.s4{stroke:var(--s4);stroke-dasharray:4 4}.line.s5{stroke:var(--s5);stroke-dasharray:12 4}
.bar.s0,.dot.s0{fill:var(--s0)}.bar.s1,.dot.s1{fill:var(--s1)}.bar.s2,.dot.s2{fill:var(--s2)}.bar.s3,.dot.s3{fill:var(--s3)}.bar.s4,.dot.s4{fill:var(--s4)}.bar.s5,.dot.s5{fill:var(--s5)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;margin:.25rem 0 1rem}
.tables{display:flex;flex-wrap:wrap;gap:2rem;overflow-x:auto}summary{cursor:pointer;color:var(--faint)}pre{overflow-x:auto;font-size:13px}
`;
