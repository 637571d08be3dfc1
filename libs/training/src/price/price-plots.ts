import { type DemandRow, mean } from '@sextant/learning';
import type { Plot } from '../evaluation/index.js';
import { productCurve } from './price-curve.js';
import { best } from './price-details.js';
import type { TrainedDemand } from './train-demand.js';

const CURVES = 6;
const BINS = 20;

interface Plotted {
  train: readonly DemandRow[];
  test: readonly DemandRow[];
  /** Log units of the test rows. */
  predicted: Float64Array;
  /** Expected units over the median. */
  smearing: number;
}

/** What-if curves of the products that sell most, and actual against predicted units of the test rows. */
export function pricePlots(trained: TrainedDemand, { train, test, predicted, smearing }: Plotted): Plot[] {
  return [
    {
      title: 'Expected units at a price, all else as in the newest row',
      kind: 'line',
      x: 'price',
      y: 'units a period',
      series: best(train, CURVES).map((own) => {
        const { product, points } = productCurve(trained, own);
        return { name: product, points: points.map(({ price, units }) => [price, units]) };
      }),
    },
    {
      title: 'Test rows by predicted units: mean of what was predicted and of what was sold',
      kind: 'line',
      x: 'predicted units',
      y: 'units',
      series: calibration(test, predicted, smearing),
    },
  ];
}

function calibration(test: readonly DemandRow[], predicted: Float64Array, smearing: number): Plot['series'] {
  const order = [...predicted.keys()].sort((a, b) => (predicted[a] ?? 0) - (predicted[b] ?? 0));
  const bins = Math.min(BINS, order.length);
  const points = Array.from({ length: bins }, (_, bin) => {
    const own = order.slice(
      Math.floor((bin * order.length) / bins),
      Math.floor(((bin + 1) * order.length) / bins),
    );
    const expected = mean(own.map((i) => smearing * Math.exp(predicted[i] ?? 0)));
    return { expected, sold: mean(own.map((i) => test[i]?.units ?? 0)) };
  });
  return [
    { name: 'sold', points: points.map(({ expected, sold }) => [expected, sold]) },
    { name: 'predicted', points: points.map(({ expected }) => [expected, expected]) },
  ];
}
