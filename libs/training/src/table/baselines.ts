import {
  encodeTable,
  fitLogistic,
  fitTableEncoder,
  linearMargins,
  predictMargins,
  sigmoid,
} from '@sextant/learning';
import { lightGbmParameters, type LightGbmProcess, parseLightGbmModel } from '@sextant/lightgbm';
import { countPositives, type TableExamples } from './table-examples.js';

/** Probabilities of test rows, shape [test rows], by the name of what a team would have without the choice made here. */
export type Baselines = Record<string, Float64Array>;

interface BaselineInput {
  train: TableExamples;
  test: TableExamples;
  /** Leaking columns: with them every model looks good. */
  exclude: readonly string[];
  lightGbm: LightGbmProcess | null;
  seed: number;
}

/**
 * The rate of the training rows for everybody; a logistic regression with a ridge of 1; LightGBM with its own defaults (100 trees of
 * 31 leaves, learning rate 0.1). None is tuned or calibrated.
 */
export async function baselinesOf(input: BaselineInput): Promise<Baselines> {
  const { train, test, lightGbm } = input;
  const rate = countPositives(train.labels) / train.labels.length;
  return {
    'base rate': new Float64Array(test.labels.length).fill(rate),
    logistic: logisticDefault(input),
    ...(lightGbm && { 'LightGBM default': await lightGbmDefault(input, lightGbm) }),
  };
}

function logisticDefault({ train, test, exclude }: BaselineInput): Float64Array {
  const { encoding } = fitTableEncoder(train.table, { purpose: 'linear', exclude });
  const rows = encodeTable(encoding, train.table);
  const model = fitLogistic(
    { rows, columns: encoding.features.length, labels: train.labels },
    { l2: 1 / train.labels.length },
  );
  return linearMargins(model, encodeTable(encoding, test.table)).map(sigmoid);
}

async function lightGbmDefault(
  { train, test, exclude, seed }: BaselineInput,
  lightGbm: LightGbmProcess,
): Promise<Float64Array> {
  const { encoding } = fitTableEncoder(train.table, { purpose: 'trees', exclude });
  const columns = encoding.features.length;
  const { model } = await lightGbm.train({
    train: { rows: encodeTable(encoding, train.table), labels: Float32Array.from(train.labels) },
    columns,
    validation: null,
    parameters: lightGbmParameters({
      objective: 'binary',
      seed,
      learningRate: 0.1,
      leaves: 31,
      minRowsPerLeaf: 20,
      columnShare: 1,
      l2: 0,
      threads: 1,
    }),
    rounds: 100,
    patience: 100,
  });
  return predictMargins(parseLightGbmModel(model), encodeTable(encoding, test.table), columns).map(sigmoid);
}
