import type { EvaluationReport, Plot } from '@sextant/training/evaluation';
import { describe, expect, it } from 'vitest';
import { linearAxis, shortNumber } from './axis.js';
import { plotSvg } from './plot-svg.js';
import { reportPage } from './report-page.js';

const measured = (value: number) => ({ value, low: value - 0.02, high: value + 0.02, level: 0.95 });

const roc: Plot = {
  title: 'ROC',
  kind: 'line',
  x: 'false positive rate',
  y: 'true positive rate',
  series: [
    {
      name: 'chosen',
      points: [
        [0, 0],
        [0.2, 0.8],
        [1, 1],
      ],
    },
    {
      name: 'baseline',
      points: [
        [0, 0],
        [Number.NaN, 0.4],
        [0.5, Number.NaN],
        [1, 1],
      ],
    },
  ],
};
const importance: Plot = {
  title: 'Importance',
  kind: 'bar',
  x: 'column',
  y: 'mean contribution',
  series: [
    {
      name: 'raises',
      points: [
        ['age', 0.4],
        ['a column with a very long name indeed', 0.1],
      ],
    },
    {
      name: 'lowers',
      points: [
        ['age', -0.2],
        ['empty', Number.NaN],
      ],
    },
  ],
};

const report = (over: Partial<EvaluationReport> = {}): EvaluationReport => ({
  task: 'table',
  rows: 1234,
  test: 250,
  chosen: 'logistic regression',
  because: 'the simplest',
  metrics: { auc: measured(0.8) },
  baselines: { prior: { auc: measured(0.5) } },
  leaks: [],
  warnings: [],
  details: {},
  plots: [roc, importance],
  ...over,
});

const count = (text: string, part: string): number => text.split(part).length - 1;

describe('reportPage', () => {
  it('escapes every text that comes from the data', () => {
    const evil = `<img src=x onerror=alert(1)>"'&\u0007`;
    const page = reportPage(
      report({
        chosen: evil,
        because: evil,
        leaks: [evil],
        warnings: [evil],
        metrics: { [evil]: measured(1) },
        baselines: { [evil]: {} },
        details: { [evil]: evil },
        plots: [roc, importance].map((plot) => ({
          ...plot,
          ...{ title: evil, x: evil, y: evil },
          series: [
            {
              name: evil,
              points: [
                [evil, 1],
                [`${evil}2`, 2],
              ],
            },
          ],
        })),
      }),
    );
    expect(page).not.toContain('<img');
    expect(page).not.toContain('\u0007');
    expect(page).not.toMatch(/="[^"]*'&"/);
    expect(count(page, '&lt;img')).toBeGreaterThan(15);
  });

  it('needs no script and nothing from elsewhere', () => {
    const page = reportPage(report());
    expect(page).not.toMatch(/<script|<link|@import|url\(|https?:|src=/);
    expect(page).toContain('prefers-color-scheme:dark');
  });

  it('shows metrics beside baselines, leaks, warnings and details', () => {
    const page = reportPage(
      report({ leaks: ['tags'], warnings: ['few rows'], details: { parameters: { r: 0.24 } } }),
    );
    expect(page).toContain('<th scope="row">auc</th><td>0.8</td><td>0.78 to 0.82 (95 %)</td><td>0.5</td>');
    for (const text of ['Leaks', 'tags', 'Warnings', 'few rows', '&quot;r&quot;: 0.24'])
      expect(page).toContain(text);
  });

  it('lists at most 25 figures of a chart and says of how many', () => {
    const points = Array.from({ length: 1000 }, (_, i): [number, number] => [i, i * i]);
    const page = reportPage(report({ plots: [{ ...roc, series: [{ name: 'long', points }] }] }));
    expect(page).toContain('long: 25 of 1000 points');
    expect(page).toContain('<th scope="row">999</th>');
  });
});

describe('plotSvg', () => {
  it('draws every series, has a title, a description, a legend and names of both axes', () => {
    const svg = plotSvg(roc, 'p');
    expect(count(svg, '<path class="line s0" d="M')).toBe(2);
    expect(count(svg, '<path class="line s1" d="M')).toBe(2);
    for (const text of [
      '<title id="p-title">ROC',
      'aria-labelledby="p-title p-desc"',
      'Line chart of',
      'baseline</li>',
      '>false positive rate</text>',
      '>true positive rate</text>',
    ])
      expect(svg).toContain(text);
  });

  it('leaves a gap where a point is not finite', () => {
    expect(plotSvg(roc, 'p')).not.toContain('NaN');
    const [, baseline = ''] = plotSvg(roc, 'p').split('<path class="line s1" d="');
    expect(count(baseline.split('"')[0] ?? '', 'M')).toBe(2);
  });

  it('draws a bar for each figure, to the left of zero where it is negative', () => {
    const svg = plotSvg(importance, 'p');
    expect(count(svg, '<rect class="bar s0"')).toBe(2);
    expect(count(svg, '<rect class="bar s1"')).toBe(1);
    expect(svg).toContain(
      'a column with a very long nam…<title>a column with a very long name indeed</title>',
    );
    const x = (style: string): number => Number(new RegExp(`bar ${style}" x="([\\d.]+)"`).exec(svg)?.[1]);
    expect(x('s1')).toBeLessThan(x('s0'));
    expect(svg).not.toContain('NaN');
  });

  it('draws axes around nothing, one point and equal points', () => {
    for (const points of [
      [],
      [[1, 1]],
      [
        [2, 5],
        [2, 5],
      ],
    ] as [number, number][][]) {
      for (const kind of ['line', 'bar'] as const) {
        expect(plotSvg({ ...roc, kind, series: [{ name: 'a', points }] }, 'p')).not.toMatch(/NaN|Infinity/);
      }
    }
    expect(plotSvg({ ...roc, series: [] }, 'p')).toContain('</svg>');
  });
});

describe('linearAxis', () => {
  it('has round ticks around the values', () => {
    expect(linearAxis([0.13, 0.87], [0, 100]).ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearAxis([-3, 12], [0, 100]).ticks).toEqual([-5, 0, 5, 10, 15]);
    expect(linearAxis([0, 1], [10, 110]).position(0.5)).toBeCloseTo(60, 9);
    expect(linearAxis([7, 7], [0, 1]).ticks).toEqual([6, 8]);
  });

  it('writes numbers short', () => {
    expect([0.123456, 1234567, 1e9, 1e-7, 0, Number.NaN].map(shortNumber)).toEqual([
      '0.1235',
      '1235000',
      '1.00e+9',
      '1.00e-7',
      '0',
      'NaN',
    ]);
  });
});
