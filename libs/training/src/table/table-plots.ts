import { type ReliabilityBin, reliabilityBins } from '@sextant/learning';
import { rocCurve } from '@sextant/learning/metrics';
import type { Plot } from '../evaluation/index.js';

export interface Importance {
  column: string;
  /** Mean absolute contribution, in log-odds or in the unit of the outcome. */
  contribution: number;
}

export interface CalibrationRow {
  meanProbability: number;
  rate: number;
  rows: number;
}

interface Scored {
  labels: Uint8Array;
  /** By the name of the model. */
  probabilities: Record<string, Float64Array>;
  importance: readonly Importance[];
  calibration: readonly CalibrationRow[];
}

const LIFT_POINTS = 20;
const SHOWN_COLUMNS = 15;

/** ROC, calibration, lift and importance of the models on the test rows. */
export function tablePlots({ labels, probabilities, importance, calibration }: Scored): Plot[] {
  const curves = (curve: (scores: Float64Array) => [number, number][]): Plot['series'] =>
    Object.entries(probabilities).map(([name, scores]) => ({ name, points: curve(scores) }));
  return [
    {
      title: 'ROC',
      kind: 'line',
      x: 'false positive rate',
      y: 'true positive rate',
      series: curves((scores) => rocCurve({ labels, scores })),
    },
    calibrationPlot(calibration),
    {
      title: 'Lift',
      kind: 'line',
      x: 'share of rows, highest scores first',
      y: 'share of positives found',
      series: curves((scores) => gains(labels, scores)),
    },
    importancePlot(importance, 'log-odds'),
  ];
}

function calibrationPlot(rows: readonly CalibrationRow[]): Plot {
  return {
    title: 'Calibration',
    kind: 'line',
    x: 'mean probability',
    y: 'share that came to pass',
    series: [
      { name: 'chosen', points: rows.map(({ meanProbability, rate }) => [meanProbability, rate]) },
      {
        name: 'right',
        points: [
          [0, 0],
          [1, 1],
        ],
      },
    ],
  };
}

export function importancePlot(importance: readonly Importance[], unit: string): Plot {
  const shown = importance.slice(0, SHOWN_COLUMNS);
  return {
    title: 'Importance',
    kind: 'bar',
    x: 'column',
    y: `mean absolute contribution in ${unit}`,
    series: [{ name: 'chosen', points: shown.map(({ column, contribution }) => [column, contribution]) }],
  };
}

/** Bins of about equally many test rows. */
export function calibrationRows(labels: Uint8Array, probabilities: Float64Array): CalibrationRow[] {
  let from = Number.NEGATIVE_INFINITY;
  return reliabilityBins(probabilities, labels).map(({ upTo, rows, positives }: ReliabilityBin) => {
    let sum = 0;
    for (const p of probabilities) if (p > from && p <= upTo) sum += p;
    from = upTo;
    return { meanProbability: sum / rows, rate: positives / rows, rows };
  });
}

function gains(labels: Uint8Array, scores: Float64Array): [number, number][] {
  const order = Array.from(scores.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const positives = Math.max(
    1,
    labels.reduce((sum, label) => sum + label, 0),
  );
  const points: [number, number][] = [[0, 0]];
  let found = 0;
  for (const [i, row] of order.entries()) {
    found += labels[row] ?? 0;
    const isPoint =
      Math.floor(((i + 1) * LIFT_POINTS) / order.length) > Math.floor((i * LIFT_POINTS) / order.length);
    if (isPoint) points.push([(i + 1) / order.length, found / positives]);
  }
  return points;
}
