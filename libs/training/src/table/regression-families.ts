import { encodeTable, linearMargins, mean } from '@sextant/learning';
import { fitRidge, type LinearModel } from '@sextant/learning/score';
import { encodeTraining } from './encode-training.js';
import type { TableExamples } from './table-examples.js';
import type { FittedTableModel } from './table-model.js';

/** Margins are standardised amounts. */
export type FittedRegression = Pick<FittedTableModel, 'encoding' | 'margins' | 'explained'>;

export interface TunedRegression {
  settings: string;
  fit(data: TableExamples): Promise<FittedRegression>;
}

/** A way to learn amounts: what is tuned on held-out rows, then fitted again on more of them. */
export interface RegressionFamily {
  tune(fit: TableExamples, held: TableExamples): Promise<TunedRegression>;
}

/** Ridge strengths against the sum of squared errors, strongest first: each fit starts from the one before it. */
const STRENGTHS = [1000, 300, 100, 30, 10, 3, 1, 0.1];

/** Linear regression on filled, standardised columns; the ridge strength is the one with the lowest squared error on the held-out rows. */
export function ridgeFamily(exclude: readonly string[]): RegressionFamily {
  return {
    tune: (fit, held) => {
      const { encoding, rows } = encodeTraining(fit, { purpose: 'linear', exclude });
      const heldRows = encodeTable(encoding, held.table);
      let best = { strength: 1, loss: Number.POSITIVE_INFINITY };
      let start: LinearModel | undefined;
      for (const strength of STRENGTHS) {
        start = fitRidge(inputOf(fit, rows), { l2: strength / fit.labels.length, ...(start && { start }) });
        const loss = mean(squaredErrors(held, linearMargins(start, heldRows)));
        if (loss < best.loss) best = { strength, loss };
      }
      return Promise.resolve({
        settings: `linear regression, ridge strength ${best.strength}`,
        fit: (data) => Promise.resolve(fitLinear(data, best.strength, exclude)),
      });
    },
  };
}

export function fitLinear(
  data: TableExamples,
  strength: number,
  exclude: readonly string[],
): FittedRegression {
  const { encoding, rows } = encodeTraining(data, { purpose: 'linear', exclude });
  const columns = encoding.features.length;
  const model = fitRidge(inputOf(data, rows), { l2: strength / data.labels.length });
  const means = new Float64Array(columns);
  for (const [i, cell] of rows.entries())
    means[i % columns] = (means[i % columns] ?? 0) + cell / data.labels.length;
  return {
    encoding,
    margins: (table) => linearMargins(model, encodeTable(encoding, table)),
    explained: { method: 'linear', model, means },
  };
}

/** Of standardised amounts, shape [rows]. */
export function squaredErrors({ values }: TableExamples, margins: Float64Array): Float64Array {
  return margins.map((margin, row) => (margin - (values?.[row] ?? 0)) ** 2);
}

function inputOf(data: TableExamples, rows: Float32Array) {
  return {
    rows,
    columns: rows.length / data.labels.length,
    values: data.values ?? new Float32Array(0),
    ...(data.weights && { weights: data.weights }),
  };
}
