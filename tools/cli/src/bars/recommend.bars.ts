import { join } from 'node:path';
import type { Measured } from '@sextant/artefacts';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { evaluateRecommendFile } from '../evaluate/recommend.command.js';
import type { BarRun } from './bar.js';

const MOVIELENS = { user: 'user_id', item: 'item_id', time: 'timestamp', seed: '1' };

const ratings = (folder: string): string => join(folder, 'ratings.csv.gz');

function secondStage({ details }: EvaluationReport): Measured {
  const { metrics } = details['secondStage'] as { metrics: Record<string, Measured> };
  return metrics['ndcg@10'] ?? { value: Number.NaN, low: Number.NaN, high: Number.NaN, level: 0 };
}

export const RECOMMEND_BARS: readonly BarRun[] = [
  {
    dataset: 'movielens_100k',
    task: 'recommendation of later items',
    evaluate: (folder) =>
      evaluateRecommendFile({ ...MOVIELENS, csv: ratings(folder), rating: 'rating', relevant: '4' }),
    bars: [
      { metric: 'ndcg@10', sense: 'at-least', bar: 0.19 },
      { metric: 'recall@20', sense: 'at-least', bar: 0.25 },
      { metric: 'ndcg@10 of the second stage', sense: 'at-least', bar: 0.2, read: secondStage },
    ],
  },
  {
    dataset: 'movielens_100k',
    task: 'recommendation, 75/25 at random',
    evaluate: (folder) =>
      evaluateRecommendFile({ ...MOVIELENS, csv: ratings(folder), split: 'random:0.25', splits: '10' }),
    bars: [{ metric: 'ndcg@10', sense: 'at-least', bar: 0.477 }],
  },
];
