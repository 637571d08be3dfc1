import { join } from 'node:path';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { evaluateLifetimeFile } from '../evaluate/lifetime.command.js';
import type { Bar, BarRun } from './bar.js';

const cdnow = (folder: string, file: string) =>
  evaluateLifetimeFile({
    csv: join(folder, file),
    customer: 'customer_id',
    date: 'date',
    amount: 'dollars',
    calibrationEnd: '1997-09-30',
    periodDays: '7',
    seed: '1',
  });

/** The published figures, each to be met to within half of its third digit. */
const PUBLISHED = [
  { group: 'bg-nbd', name: 'r', value: 0.2426 },
  { group: 'bg-nbd', name: 'alpha', value: 4.4136 },
  { group: 'bg-nbd', name: 'a', value: 0.7929 },
  { group: 'bg-nbd', name: 'b', value: 2.4259 },
  { group: 'spend', name: 'p', value: 6.25 },
  { group: 'spend', name: 'q', value: 3.74 },
  { group: 'spend', name: 'v', value: 15.44 },
] as const;

const published = ({ group, name, value }: (typeof PUBLISHED)[number]): Bar => ({
  metric: `${group} ${name}: distance from the published ${value}`,
  sense: 'at-most',
  bar: 0.5 * 10 ** (Math.floor(Math.log10(value)) - 2),
  read: (report) => ({ value: Math.abs(fittedOf(report, group, name) - value) }),
});

const logLikelihood: Bar = {
  metric: 'bg-nbd log-likelihood: distance from the published -9582.43',
  sense: 'at-most',
  bar: 0.005,
  read: ({ details }) => ({
    value: Math.abs((at(details, 'processes', 'bg-nbd', 'logLikelihood') ?? Number.NaN) + 9582.43),
  }),
};

function fittedOf({ details }: EvaluationReport, group: 'bg-nbd' | 'spend', name: string): number {
  const path = group === 'spend' ? ['spend', 'bases', 'repeats'] : ['processes', group];
  return at(details, ...path, 'parameters', name, 'value') ?? Number.NaN;
}

/** The number at a path of plain JSON. */
function at(value: unknown, ...path: readonly string[]): number | null {
  const found = path.reduce<unknown>(
    (within, key) => (typeof within === 'object' && within !== null ? Reflect.get(within, key) : undefined),
    value,
  );
  return typeof found === 'number' ? found : null;
}

export const LIFETIME_BARS: readonly BarRun[] = [
  {
    dataset: 'cdnow',
    task: 'lifetime value, 39/39 weeks',
    evaluate: (folder) => cdnow(folder, 'cdnow_master.csv.gz'),
    bars: [
      { metric: 'maeTransactions', sense: 'at-most', bar: 0.794 },
      { metric: 'maeSpend', sense: 'at-most', bar: 32 },
    ],
  },
  {
    dataset: 'cdnow',
    task: 'parameters on the 1/10 sample',
    evaluate: (folder) => cdnow(folder, 'cdnow_sample_1in10.csv.gz'),
    bars: [...PUBLISHED.map(published), logLikelihood],
  },
];
