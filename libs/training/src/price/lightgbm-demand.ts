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
import { writeTreeForms } from '@sextant/onnx';
import type { DemandCandidate, FittedDemand } from './demand-candidate.js';
import { splitDemand } from './demand-split.js';

export interface LightGbmDemandOptions {
  lightGbm: LightGbmProcess;
  family: DemandFamily;
  seed: number;
  /** `falling`: never rises with the price; `free`: takes the price as information about the occasion, whatever its sign. */
  shape: 'falling' | 'free';
}

const MAX_ROUNDS = 600;
const PATIENCE = 40;
const FEW_ROWS_PER_LEAF = 10;
/** On a machine that is busy otherwise, OpenMP threads wait for each other: two were ten times slower than one. */
const THREADS = 1;

interface Size {
  leaves: number;
  minRowsPerLeaf: number;
}

interface ChosenSize extends Size {
  rounds: number;
}

/**
 * Gradient-boosted demand. A product enters by its level in the log-log model and by how far its
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
  let best: ChosenSize = { leaves: 15, minRowsPerLeaf: FEW_ROWS_PER_LEAF, rounds: 1 };
  let lowest = Number.POSITIVE_INFINITY;
  for (const size of sizesFor(train.length)) {
    const { rounds, validationLoss } = await options.lightGbm.train({
      train: { rows: fit.rows, labels: fit.labels.map((y) => y - fit.offset) },
      validation: { rows: held.rows, labels: held.labels.map((y) => y - fit.offset) },
      columns: encoding.features.length,
      parameters: parametersFor(options, encoding, size),
      rounds: MAX_ROUNDS,
      patience: PATIENCE,
    });
    if (validationLoss === null || validationLoss >= lowest) continue;
    lowest = validationLoss;
    best = { ...size, rounds };
  }
  return {
    name: 'lightgbm',
    shape: options.shape,
    settings: `LightGBM ${options.shape === 'falling' ? 'falling in the price' : 'with the price as information'}, ${best.rounds} trees of up to ${best.leaves} leaves and at least ${best.minRowsPerLeaf} rows a leaf`,
    fit: (all) => fitted(all, options, best),
  };
}

function sizesFor(rows: number): Size[] {
  const many = Math.min(50, Math.max(FEW_ROWS_PER_LEAF, Math.round(rows / 500)));
  const sizes = [15, 31].map((leaves) => ({ leaves, minRowsPerLeaf: many }));
  return many === FEW_ROWS_PER_LEAF ? sizes : [...sizes, { leaves: 31, minRowsPerLeaf: FEW_ROWS_PER_LEAF }];
}

async function fitted(
  rows: readonly DemandRow[],
  options: LightGbmDemandOptions,
  size: ChosenSize,
): Promise<FittedDemand> {
  const encoding = encodingOf(rows, options.family);
  const columns = encoding.features.length;
  const { offset, ...data } = labelled(rows, encoding, options.family);
  const { model } = await options.lightGbm.train({
    train: { rows: data.rows, labels: data.labels.map((y) => y - offset) },
    validation: null,
    columns,
    parameters: parametersFor(options, encoding, size),
    rounds: size.rounds,
    patience: size.rounds,
  });
  const parsed = parseLightGbmModel(model);
  const ensemble = { ...parsed, baseScore: parsed.baseScore + offset };
  return {
    encoding,
    logUnits: (table) => predictMargins(ensemble, encodeTable(encoding, table), columns),
    explained: { method: 'tree-shap', ensemble },
    toOnnx: () => writeTreeForms(ensemble, columns, { kind: 'log-units' }),
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
  { family, seed, shape }: LightGbmDemandOptions,
  { features }: TableEncoding,
  { leaves, minRowsPerLeaf }: Size,
): string {
  return lightGbmParameters({
    objective: family === 'gaussian' ? 'regression' : 'poisson',
    seed,
    learningRate: 0.1,
    leaves,
    minRowsPerLeaf,
    columnShare: 1,
    l2: 1,
    threads: THREADS,
    monotone: features.map((_, column) => (shape === 'falling' && (column === 1 || column === 2) ? -1 : 0)),
  });
}
