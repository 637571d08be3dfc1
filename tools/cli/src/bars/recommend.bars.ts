import { join } from 'node:path';
import { evaluateRecommendFile } from '../evaluate/recommend.command.js';
import type { BarRun } from './bar.js';

const MOVIELENS = { user: 'user_id', item: 'item_id', time: 'timestamp', seed: '1' };

const ratings = (folder: string): string => join(folder, 'ratings.csv.gz');

export const RECOMMEND_BARS: readonly BarRun[] = [
  {
    dataset: 'movielens_100k',
    task: 'recommendation of later items',
    evaluate: (folder) =>
      evaluateRecommendFile({ ...MOVIELENS, csv: ratings(folder), rating: 'rating', relevant: '4' }),
    bars: [
      { metric: 'ndcg@10', sense: 'at-least', bar: 0.19 },
      { metric: 'recall@20', sense: 'at-least', bar: 0.25 },
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
