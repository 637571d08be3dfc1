import { join } from 'node:path';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { evaluatePriceFile } from '../evaluate/price.command.js';
import type { Bar, BarRun } from './bar.js';

/** How far the elasticity of a product is from the regression's. */
function elasticityWithin(product: string, regression: number): Bar {
  return {
    metric: `|elasticity of ${product} − (${regression})|`,
    sense: 'at-most',
    bar: 0.15,
    read: ({ details }: EvaluationReport) => {
      const found = (details['elasticity'] as Record<string, { value: number }>)[product];
      return { value: Math.abs((found?.value ?? Number.NaN) - regression) };
    },
  };
}

const beer = (folder: string, split: string, horizon: string): Promise<EvaluationReport> =>
  evaluatePriceFile({
    csv: join(folder, 'beer_weekly.csv.gz'),
    units: 'move',
    price: 'price',
    product: 'upc',
    store: 'store',
    time: 'week',
    lags: true,
    horizon,
    split,
    seed: '1',
  });

export const PRICE_BARS: readonly BarRun[] = [
  {
    dataset: 'oj_dominicks',
    task: 'elasticity',
    evaluate: (folder) =>
      evaluatePriceFile({
        csv: join(folder, 'oj.csv.gz'),
        units: 'sales',
        price: 'price',
        product: 'brand',
        context: 'feat',
        split: 'crc32',
        seed: '1',
      }),
    bars: [
      { metric: 'rmseLogUnits', sense: 'at-most', bar: 0.633 },
      elasticityWithin('dominicks', -3.38),
      elasticityWithin('minute.maid', -3.32),
      elasticityWithin('tropicana', -2.71),
    ],
  },
  {
    dataset: 'dominicks_beer',
    task: 'price response',
    evaluate: (folder) => beer(folder, 'column:week>347', '1'),
    bars: [{ metric: 'rmseLogUnits', sense: 'at-most', bar: 0.649 }],
  },
  {
    dataset: 'dominicks_beer',
    task: 'demand forecast, last 8 weeks, price plan known',
    evaluate: (folder) => beer(folder, 'column:week>391', '8'),
    bars: [{ metric: 'wape', sense: 'at-most', bar: 0.4 }],
  },
];
