import {
  encodeTable,
  fitLogistic,
  linearMargins,
  logLosses,
  type LogisticModel,
  mean,
  sigmoid,
} from '@sextant/learning';
import { writeLinearModel } from '@sextant/onnx';
import { encodeTraining } from './encode-training.js';
import type { TableExamples } from './table-examples.js';
import type { FittedTableModel, TableFamily } from './table-model.js';

/** Ridge strengths against the sum of log-losses, strongest first: each fit starts from the one before it. */
const STRENGTHS = [1000, 300, 100, 30, 10, 3, 1, 0.1];

/** Logistic regression on filled, standardised columns; the ridge strength is the one with the lowest log-loss on the held-out rows. */
export function logisticFamily(exclude: readonly string[]): TableFamily {
  return {
    name: 'logistic',
    tune: (fit, held) => {
      const { encoding, rows } = encodeTraining(fit, { purpose: 'linear', exclude });
      const input = inputOf(fit, rows);
      const heldRows = encodeTable(encoding, held.table);
      let best = { strength: 1, loss: Number.POSITIVE_INFINITY };
      let start: LogisticModel | undefined;
      for (const strength of STRENGTHS) {
        start = fitLogistic(input, { l2: strength / fit.labels.length, ...(start && { start }) });
        const loss = weightedLoss(held, linearMargins(start, heldRows));
        if (loss < best.loss) best = { strength, loss };
      }
      return Promise.resolve({
        name: 'logistic',
        settings: `logistic regression, ridge strength ${best.strength}`,
        fit: (data) => Promise.resolve(fitted(data, best.strength, exclude)),
      });
    },
  };
}

function fitted(data: TableExamples, strength: number, exclude: readonly string[]): FittedTableModel {
  const { encoding, rows } = encodeTraining(data, { purpose: 'linear', exclude });
  const model = fitLogistic(inputOf(data, rows), { l2: strength / data.labels.length });
  return {
    encoding,
    margins: (table) => linearMargins(model, encodeTable(encoding, table)),
    explained: { method: 'linear', model, means: columnMeans(rows, encoding.features.length) },
    toOnnx: (platt) => writeLinearModel(model, { kind: 'probability', platt }),
  };
}

function weightedLoss({ labels, weights }: TableExamples, margins: Float64Array): number {
  const losses = logLosses(labels, margins.map(sigmoid));
  if (weights === undefined) return mean(losses);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return losses.reduce((sum, loss, i) => sum + loss * (weights[i] ?? 0), 0) / total;
}

function inputOf(data: TableExamples, rows: Float32Array) {
  return {
    rows,
    columns: rows.length / data.labels.length,
    labels: data.labels,
    ...(data.weights && { weights: data.weights }),
  };
}

function columnMeans(rows: Float32Array, columns: number): Float64Array {
  const means = new Float64Array(columns);
  const n = rows.length / columns;
  for (let i = 0; i < rows.length; i++) means[i % columns] = (means[i % columns] ?? 0) + (rows[i] ?? 0) / n;
  return means;
}
