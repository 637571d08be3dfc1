import type { ColumnEncoding, TableEncoding } from '@sextant/artefacts';
import {
  centresOf,
  type DemandFamily,
  type DemandRow,
  demandTable,
  encodeTable,
  fitDemandModel,
  fitTableEncoder,
  mean,
  predictMargins,
  PRICE_COLUMN,
  PRODUCT_COLUMN,
} from '@sextant/learning';
import {
  type LabelledRows,
  lightGbmParameters,
  type LightGbmProcess,
  parseLightGbmModel,
} from '@sextant/lightgbm';
import { writeTreeModel } from '@sextant/onnx';
import type { DemandCandidate, FittedDemand } from './demand-candidate.js';
import { splitDemand } from './demand-split.js';

export interface LightGbmDemandOptions {
  lightGbm: LightGbmProcess;
  family: DemandFamily;
  seed: number;
}

const MAX_ROUNDS = 600;
const PATIENCE = 40;
const LEAVES = [15, 31];
/** On a machine that is busy otherwise, OpenMP threads wait for each other: two were ten times slower than one. */
const THREADS = 1;

interface Size {
  leaves: number;
  rounds: number;
}

/**
 * Gradient-boosted demand that never rises with the price. A product enters by its level in the log-log model and by how far its
 * price is from its own mean, so that any number of products takes three columns. Size and rounds are chosen on a part of `rows` that is held out here.
 *
 * @throws DomainError TRAINING_FAILED when LightGBM refuses the data
 */
export async function lightGbmDemand(
  rows: readonly DemandRow[],
  options: LightGbmDemandOptions,
): Promise<DemandCandidate> {
  const { train, validate } = splitDemand(rows);
  const encoding = encodingOf(train, options.family);
  const [fit, held] = [
    labelled(train, encoding, options.family),
    labelled(validate, encoding, options.family),
  ];
  let best: Size = { leaves: LEAVES[0] ?? 15, rounds: 1 };
  let lowest = Number.POSITIVE_INFINITY;
  for (const leaves of LEAVES) {
    const { rounds, validationLoss } = await options.lightGbm.train({
      train: { rows: fit.rows, labels: fit.labels.map((y) => y - fit.offset) },
      validation: { rows: held.rows, labels: held.labels.map((y) => y - fit.offset) },
      columns: encoding.features.length,
      parameters: parametersFor(options, encoding, { leaves, rows: train.length }),
      rounds: MAX_ROUNDS,
      patience: PATIENCE,
    });
    if (validationLoss === null || validationLoss >= lowest) continue;
    lowest = validationLoss;
    best = { leaves, rounds };
  }
  return {
    name: 'lightgbm',
    settings: `LightGBM falling in the price, ${best.rounds} trees of up to ${best.leaves} leaves`,
    fit: (all) => fitted(all, options, best),
  };
}

async function fitted(
  rows: readonly DemandRow[],
  options: LightGbmDemandOptions,
  size: Size,
): Promise<FittedDemand> {
  const encoding = encodingOf(rows, options.family);
  const columns = encoding.features.length;
  const { offset, ...data } = labelled(rows, encoding, options.family);
  const { model } = await options.lightGbm.train({
    train: { rows: data.rows, labels: data.labels.map((y) => y - offset) },
    validation: null,
    columns,
    parameters: parametersFor(options, encoding, { leaves: size.leaves, rows: rows.length }),
    rounds: size.rounds,
    patience: size.rounds,
  });
  const parsed = parseLightGbmModel(model);
  const ensemble = { ...parsed, baseScore: parsed.baseScore + offset };
  return {
    encoding,
    logUnits: (table) => predictMargins(ensemble, encodeTable(encoding, table), columns),
    explained: { method: 'tree-shap', ensemble },
    toOnnx: () => writeTreeModel(ensemble, columns, { kind: 'log-units' }),
  };
}

function encodingOf(rows: readonly DemandRow[], family: DemandFamily): TableEncoding {
  const centres = centresOf(rows);
  const levels = fitDemandModel(rows, family, 'price').encoding.columns[0];
  if (levels?.kind !== 'lookup') throw new TypeError('a demand model begins with the product levels');
  const relative: ColumnEncoding = {
    kind: 'lookup',
    column: PRODUCT_COLUMN,
    feature: 'price against its own mean',
    values: {},
    other: 1,
    times: {
      column: PRICE_COLUMN,
      transform: 'log',
      centres: centres.byProduct,
      otherCentre: centres.overall,
      fill: null,
    },
  };
  const price: ColumnEncoding = {
    kind: 'numeric',
    column: PRICE_COLUMN,
    fill: null,
    transform: 'none',
    mean: 0,
    scale: 1,
    missingIndicator: false,
  };
  const context = fitTableEncoder(demandTable(rows), {
    purpose: 'trees',
    exclude: [PRODUCT_COLUMN, PRICE_COLUMN],
  }).encoding;
  return {
    columns: [levels, relative, price, ...context.columns],
    features: [levels.feature, relative.feature, PRICE_COLUMN, ...context.features],
    standardised: false,
  };
}

/** Labels as LightGBM sees them; log units are centred by `offset`, so that sums of leaves stay small and float32 exact. */
function labelled(
  rows: readonly DemandRow[],
  encoding: TableEncoding,
  family: DemandFamily,
): LabelledRows & { offset: number } {
  const labels = Float32Array.from(rows, ({ units }) => (family === 'gaussian' ? Math.log(units) : units));
  return {
    rows: encodeTable(encoding, demandTable(rows)),
    labels,
    offset: family === 'gaussian' ? Math.fround(mean(labels)) : 0,
  };
}

function parametersFor(
  { family, seed }: LightGbmDemandOptions,
  { features }: TableEncoding,
  { leaves, rows }: { leaves: number; rows: number },
): string {
  return lightGbmParameters({
    objective: family === 'gaussian' ? 'regression' : 'poisson',
    seed,
    learningRate: 0.1,
    leaves,
    minRowsPerLeaf: Math.min(50, Math.max(10, Math.round(rows / 500))),
    columnShare: 1,
    l2: 1,
    threads: THREADS,
    monotone: features.map((_, column) => (column === 1 || column === 2 ? -1 : 0)),
  });
}
