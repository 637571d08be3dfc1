import type { Plot } from '../evaluation/index.js';
import { type Importance, importancePlot } from './table-plots.js';

interface Predicted {
  actual: Float64Array;
  /** By the name of the model. */
  predictions: Record<string, Float64Array>;
  importance: readonly Importance[];
  /** Name of the outcome. */
  target: string;
}

const TENTHS = 10;

/** Mean prediction and outcome by tenth of the prediction, and importance. */
export function regressionPlots({ actual, predictions, importance, target }: Predicted): Plot[] {
  return [
    {
      title: 'Predicted and actual',
      kind: 'line',
      x: `mean prediction of ${target}, by tenth of the rows`,
      y: `mean ${target}`,
      series: Object.entries(predictions).map(([name, predicted]) => ({
        name,
        points: tenths(actual, predicted),
      })),
    },
    importancePlot(importance, `the unit of ${target}`),
  ];
}

function tenths(actual: Float64Array, predicted: Float64Array): [number, number][] {
  const order = Array.from(predicted.keys()).sort(
    (a, b) => (predicted[a] ?? 0) - (predicted[b] ?? 0) || a - b,
  );
  return Array.from({ length: TENTHS }, (_, i): [number, number] => {
    const rows = order.slice((i * order.length) / TENTHS, ((i + 1) * order.length) / TENTHS);
    const meanOf = (of: Float64Array): number =>
      rows.reduce((sum, row) => sum + (of[row] ?? 0) / rows.length, 0);
    return [meanOf(predicted), meanOf(actual)];
  });
}
