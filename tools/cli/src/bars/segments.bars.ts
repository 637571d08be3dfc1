import { join } from 'node:path';
import { evaluateSegmentsFile } from '../evaluate/segments.command.js';
import type { Bar, BarRun } from './bar.js';

/** The peer's number of segments, found without being told: the distance from it is 0. */
const sameNumber = (k: number): Bar => ({
  metric: `segments: distance from ${k}`,
  sense: 'at-most',
  bar: 0,
  read: ({ metrics }) => ({ value: Math.abs((metrics['segments']?.value ?? Number.NaN) - k) }),
});

/** The peer's figures are printed to two or three digits: .551 / .965 and .593 / .99. */
export const SEGMENT_BARS: readonly BarRun[] = [
  {
    dataset: 'mall_customers',
    task: 'segments',
    evaluate: (folder) =>
      evaluateSegmentsFile({
        csv: join(folder, 'mall.csv'),
        columns: 'Annual_Income_(k$),Spending_Score',
        maxSegments: '10',
        seed: '1',
      }),
    bars: [
      sameNumber(5),
      { metric: 'silhouette', sense: 'at-least', bar: 0.5505 },
      { metric: 'stability', sense: 'at-least', bar: 0.9645 },
    ],
  },
  {
    dataset: 'cdnow',
    task: 'RFM segments',
    evaluate: (folder) =>
      evaluateSegmentsFile({
        csv: join(folder, 'cdnow_master.csv.gz'),
        rfm: true,
        customer: 'customer_id',
        date: 'date',
        amount: 'dollars',
        maxSegments: '10',
        seed: '1',
      }),
    bars: [
      sameNumber(2),
      { metric: 'silhouette', sense: 'at-least', bar: 0.5925 },
      { metric: 'stability', sense: 'at-least', bar: 0.985 },
    ],
  },
];
