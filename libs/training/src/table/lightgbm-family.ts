import { encodeTable, predictMargins } from '@sextant/learning';
import {
  type LabelledRows,
  lightGbmParameters,
  type LightGbmProcess,
  parseLightGbmModel,
} from '@sextant/lightgbm';
import { writeTreeForms } from '@sextant/onnx';
import { encodeTraining } from './encode-training.js';
import type { TableExamples } from './table-examples.js';
import type { FittedTableModel, TableFamily } from './table-model.js';

const LEAVES = [7, 15, 31];
/** The leaves are chosen at the fast rate; at the slow one the best of them is trained once more, which often gains and takes twice the trees. */
const LEARNING_RATES = { fast: 0.1, slow: 0.05 };
const MAX_ROUNDS = 500;
const PATIENCE = 50;

export interface LightGbmFamilyOptions {
  /** `binary` when absent; `regression` learns `values`. */
  objective?: 'binary' | 'regression';
  lightGbm: LightGbmProcess;
  exclude: readonly string[];
  seed: number;
  threads: number;
}

interface Size {
  leaves: number;
  rounds: number;
  learningRate: number;
}

/** Gradient-boosted trees; leaves a tree, learning rate and number of trees are those with the lowest loss (log-loss, squared error) on the held-out rows. */
export function lightGbmFamily(options: LightGbmFamilyOptions): TableFamily {
  return {
    name: 'lightgbm',
    tune: async (fit, held) => {
      const { encoding, rows } = encodeTraining(fit, { purpose: 'trees', exclude: options.exclude });
      const columns = encoding.features.length;
      const [train, validation] = [labelled(fit, rows), labelled(held, encodeTable(encoding, held.table))];
      let best: Size = { leaves: LEAVES[0] ?? 7, rounds: 1, learningRate: LEARNING_RATES.fast };
      let lowest = Number.POSITIVE_INFINITY;
      const attempt = async (leaves: number, learningRate: number, maxRounds: number): Promise<void> => {
        const parameters = parametersFor(options, { leaves, learningRate }, fit.labels.length);
        const request = { train, validation, columns, parameters, rounds: maxRounds, patience: PATIENCE };
        const { rounds, validationLoss } = await options.lightGbm.train(request);
        if (validationLoss === null || validationLoss >= lowest) return;
        lowest = validationLoss;
        best = { leaves, rounds, learningRate };
      };
      for (const leaves of LEAVES) await attempt(leaves, LEARNING_RATES.fast, MAX_ROUNDS);
      await attempt(best.leaves, LEARNING_RATES.slow, 2 * MAX_ROUNDS);
      return {
        name: 'lightgbm',
        settings: `LightGBM, ${best.rounds} trees of up to ${best.leaves} leaves`,
        fit: (data) => fitted(options, data, best),
      };
    },
  };
}

async function fitted(
  options: LightGbmFamilyOptions,
  data: TableExamples,
  size: Size,
): Promise<FittedTableModel> {
  const { encoding, rows } = encodeTraining(data, { purpose: 'trees', exclude: options.exclude });
  const columns = encoding.features.length;
  const { model } = await options.lightGbm.train({
    train: labelled(data, rows),
    validation: null,
    columns,
    parameters: parametersFor(options, size, data.labels.length),
    rounds: size.rounds,
    patience: size.rounds,
  });
  const ensemble = parseLightGbmModel(model);
  return {
    encoding,
    margins: (table) => predictMargins(ensemble, encodeTable(encoding, table), columns),
    explained: { method: 'tree-shap', ensemble },
    toOnnx: (platt) => writeTreeForms(ensemble, columns, { kind: 'probability', platt }),
  };
}

/**
 * Half the columns a tree and a ridge of 10 keep trees from following one period's noise; amounts say more a row than outcomes do, and
 * take 0.8 and 1. Leaves hold at least 0.5 % of the rows, within 10 to 100.
 */
function parametersFor(
  { seed, threads, objective = 'binary' }: LightGbmFamilyOptions,
  { leaves, learningRate }: Omit<Size, 'rounds'>,
  rows: number,
): string {
  return lightGbmParameters({
    objective,
    seed,
    learningRate,
    leaves,
    minRowsPerLeaf: Math.min(100, Math.max(10, Math.round(rows / 200))),
    columnShare: objective === 'binary' ? 0.5 : 0.8,
    l2: objective === 'binary' ? 10 : 1,
    threads,
  });
}

function labelled(data: TableExamples, rows: Float32Array): LabelledRows {
  const { labels, values, weights } = data;
  return { rows, labels: Float32Array.from(values ?? labels), ...(weights && { weights: scaled(weights) }) };
}

/** Weights of mean 1, so that the least rows and the ridge of a leaf mean what they mean without weights. */
function scaled(weights: Float32Array): Float32Array {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}
