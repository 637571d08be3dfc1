import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type LifetimeSpec,
  type Manifest,
  MONITOR_FILE,
  ModelDirectory,
  type ModelRepository,
  type MonitoringReference,
  type PriceSpec,
  type ScoreSpec,
  type ScoreTask,
  type UpliftSpec,
} from '@sextant/artefacts';
import { writeExplainer } from '@sextant/learning/explain';
import type { LifetimeModel } from '@sextant/learning/lifetime';
import {
  onnxDescription,
  onnxFiles,
  type OnnxModel,
  writeLifetimeModel,
  writeLinearModel,
  writeRecommender,
  writeSessionModel,
  writeTreeForms,
  writeUpliftModel,
} from '@sextant/onnx';
import { anEnsemble } from './test-trees.js';

export interface TestRepository {
  directory: ModelDirectory;
  remove(): Promise<void>;
}

/** An empty model repository in a directory of its own. */
export async function aRepository(): Promise<TestRepository> {
  const root = await mkdtemp(join(tmpdir(), 'sextant-models-'));
  return { directory: new ModelDirectory(root), remove: () => rm(root, { recursive: true, force: true }) };
}

const CARD = {
  purpose: 'test',
  trainingData: 'none',
  features: [],
  chosenBecause: 'written by hand',
  metrics: {},
  baselineMetrics: {},
  limitations: ['a test model'],
  warnings: [],
};

type Draft = Omit<Manifest, 'version' | 'files' | 'formatVersion'>;

function draft(model: string, onnx: Manifest['onnx'], spec: Manifest['spec']): Draft {
  return {
    model,
    tenantId: model.split('.')[0] ?? '',
    trainedAt: '2026-03-01T00:00:00Z',
    seed: 1,
    dataSha256: '0'.repeat(64),
    dataRows: 0,
    onnx,
    metrics: {},
    baselineMetrics: {},
    warmUpBatchSizes: [1, 8],
    spec,
  };
}

async function publishLive(
  directory: ModelRepository,
  manifest: Draft,
  files: Map<string, Uint8Array>,
): Promise<number> {
  const { version } = await directory.publish(manifest, files, CARD);
  await directory.setLiveVersion(manifest.model, version);
  return version;
}

/** Publishes the live version of a model again, with a `monitor.json`; nothing else differs. */
export async function publishWatched(
  directory: ModelRepository,
  model: string,
  monitor: MonitoringReference | Uint8Array,
): Promise<number> {
  const { live } = await directory.readEntry(model);
  const { manifest, files } = await directory.readVersion(model, live ?? 1);
  if (manifest === null) throw new Error(`${model} has no manifest`);
  const content = monitor instanceof Uint8Array ? monitor : Buffer.from(JSON.stringify(monitor));
  const watched = { ...manifest, monitorFile: MONITOR_FILE };
  return publishLive(directory, watched, new Map([...files, [MONITOR_FILE, content]]));
}

export interface RecommenderSeed {
  model?: string;
  items: string[];
  /** [items + 1, items], the last row the prior */
  matrix: Float32Array;
  tauItems?: number | null;
  excludeHistory?: boolean;
}

export function publishRecommender(directory: ModelRepository, seed: RecommenderSeed): Promise<number> {
  const { model = 'demo.recommend', items, matrix, tauItems = null, excludeHistory = true } = seed;
  const { bytes, ...onnx } = writeRecommender({ itemCount: items.length, matrix });
  const spec = {
    task: 'recommend' as const,
    items,
    components: [],
    rank: null,
    tauItems,
    excludeHistory,
    similarityFile: 'similarity.f32',
  };
  const files = new Map([
    ['model.onnx', bytes],
    ['similarity.f32', new Uint8Array(matrix.buffer)],
  ]);
  return publishLive(directory, draft(model, onnx, spec), files);
}

export interface SessionSeed {
  model?: string;
  items: string[];
  /** [items, items] */
  transitions: Float32Array;
  repeats: number[];
}

/** Sources fade by half an item; no prior. */
export function publishSession(directory: ModelRepository, seed: SessionSeed): Promise<number> {
  const { model = 'demo.session', items, transitions, repeats } = seed;
  const itemCount = items.length;
  const prior = new Float32Array(itemCount);
  const { bytes, ...onnx } = writeSessionModel({ itemCount, transitions, prior });
  const spec = {
    task: 'session' as const,
    items,
    sourceDecay: 0.5,
    repeats,
    transitionsFile: 'transitions.f32',
  };
  const files = new Map([
    ['model.onnx', bytes],
    ['transitions.f32', new Uint8Array(transitions.buffer)],
  ]);
  return publishLive(directory, draft(model, onnx, spec), files);
}

/** A recommender so wide that one run takes a while: every score is the sum of the history's weights times `scale`. */
export function publishWideRecommender(
  directory: ModelRepository,
  items: number,
  scale = 1,
): Promise<number> {
  const matrix = new Float32Array((items + 1) * items).fill(scale, 0, items * items);
  return publishRecommender(directory, {
    items: Array.from({ length: items }, (_, i) => `i${i}`),
    matrix,
    excludeHistory: false,
  });
}

const LEAD_TABLE = {
  columns: [
    {
      kind: 'numeric' as const,
      column: 'visits',
      fill: 0,
      transform: 'none' as const,
      mean: 0,
      scale: 1,
      missingIndicator: false,
    },
    { kind: 'categorical' as const, column: 'channel', categories: ['web', 'mail'] },
  ],
  features: ['visits', 'channel=web', 'channel=mail', 'channel=(other)'],
  standardised: false,
};

function scoreSpec(task: ScoreTask): ScoreSpec {
  return {
    task,
    table: LEAD_TABLE,
    family: 'logistic',
    explainFile: 'explain.json',
    bands: { warm: 0.3, hot: 0.7 },
    quantiles: Array.from({ length: 101 }, (_, i) => i / 100),
    reliability: [
      { upTo: 0.5, rows: 100, positives: 20 },
      { upTo: 1, rows: 100, positives: 70 },
    ],
    horizonDays: 30,
  };
}

/** probability = sigmoid(visits + 2·[web] − 1·[mail] − 1) */
export function publishLead(
  directory: ModelRepository,
  model = 'demo.lead',
  task: ScoreTask = 'lead',
): Promise<number> {
  const linear = { coefficients: Float64Array.of(1, 2, -1, 0), intercept: -1 };
  const platt = { a: 1, b: 0 };
  const written = writeLinearModel(linear, { kind: 'probability', platt });
  const explained = {
    method: 'linear' as const,
    model: linear,
    means: Float64Array.of(0.5, 0.25, 0.25, 0.5),
  };
  const spec = scoreSpec(task);
  return publishScore(directory, {
    model,
    written,
    spec,
    explainer: writeExplainer(LEAD_TABLE, explained, platt),
  });
}

/** Trees at random over the columns of {@link publishLead}, in both forms. */
export function publishTrees(directory: ModelRepository, model = 'demo.churn'): Promise<number> {
  const platt = { a: 1.2, b: 0.1 };
  const ensemble = anEnsemble({ seed: 5, trees: 60, leaves: 15, columns: LEAD_TABLE.features.length });
  const written = writeTreeForms(ensemble, LEAD_TABLE.features.length, { kind: 'probability', platt });
  const linear = { coefficients: new Float64Array(LEAD_TABLE.features.length), intercept: 0 };
  const explained = { method: 'linear' as const, model: linear, means: new Float64Array(4) };
  const explainer = writeExplainer(LEAD_TABLE, explained, platt);
  return publishScore(directory, { model, written, spec: scoreSpec('churn'), explainer });
}

function publishScore(
  directory: ModelRepository,
  {
    model,
    written,
    spec,
    explainer,
  }: { model: string; written: OnnxModel; spec: ScoreSpec; explainer: string },
): Promise<number> {
  const files = new Map<string, Uint8Array>([
    ...onnxFiles(written),
    ['explain.json', Buffer.from(explainer)],
  ]);
  return publishLive(directory, draft(model, onnxDescription(written), spec), files);
}

const PRICE_TABLE = {
  columns: [
    {
      kind: 'numeric' as const,
      column: 'price',
      fill: 0,
      transform: 'none' as const,
      mean: 0,
      scale: 1,
      missingIndicator: false,
    },
    {
      kind: 'numeric' as const,
      column: 'display',
      fill: 0,
      transform: 'none' as const,
      mean: 0,
      scale: 1,
      missingIndicator: false,
    },
    { kind: 'categorical' as const, column: 'product', categories: ['p1'] },
  ],
  features: ['price', 'display', 'product=p1', 'product=(other)'],
  standardised: false,
};

/**
 * log units = 3 − 0.2 · price (major units) + 0.5 · display + 1·[p1]; the margin is best 5 major units above cost.
 * With a response the price is information, and quotes follow the response.
 */
export function publishPrice(
  directory: ModelRepository,
  model = 'demo.price',
  priceResponse?: PriceSpec['priceResponse'],
): Promise<number> {
  const linear = { coefficients: Float64Array.of(-0.2, 0.5, 1, 0), intercept: 3 };
  const { bytes, ...onnx } = writeLinearModel(linear, { kind: 'log-units' });
  const explained = { method: 'linear' as const, model: linear, means: Float64Array.of(10, 0, 0.5, 0.5) };
  const spec = {
    task: 'price' as const,
    table: PRICE_TABLE,
    family: 'log-log' as const,
    productColumn: 'product',
    priceColumn: 'price',
    residualSd: 0.1,
    smearing: 1.05,
    unitsPeriodDays: 7,
    priceRange: { p1: [5, 20] as [number, number] },
    elasticity: {},
    ...(priceResponse ? { priceResponse } : {}),
    explainFile: 'explain.json',
    contextDefaults: { display: 0 },
  };
  const files = new Map<string, Uint8Array>([
    ['model.onnx', bytes],
    ['explain.json', Buffer.from(writeExplainer(PRICE_TABLE, explained, { a: 1, b: 0 }))],
  ]);
  return publishLive(directory, draft(model, onnx, spec), files);
}

/** CDNOW's published parameters; forecasts of up to 30 lie within a tenth of themselves and a mean order, others within half. */
export const LIFETIME_MODEL: LifetimeModel = {
  process: { family: 'bg-nbd', r: 0.2426, alpha: 4.4136, a: 0.7929, b: 2.4259 },
  spend: { p: 6.25, q: 3.74, v: 15.44 },
  periodDays: 7,
  annualDiscountRate: 0.1,
};

export function publishLifetime(directory: ModelRepository, model = 'demo.lifetime'): Promise<number> {
  const limits = { maxHorizon: 730 / 7, maxFrequency: 100 };
  const { bytes, ...onnx } = writeLifetimeModel(LIFETIME_MODEL, limits);
  const spec: LifetimeSpec = {
    task: 'lifetime',
    family: 'bg-nbd',
    parameters: {},
    spend: {},
    spendBasis: 'repeats',
    meanOrderValue: 35,
    currency: 'USD',
    periodDays: 7,
    maxHorizonDays: 730,
    maxFrequency: 100,
    annualDiscountRate: 0.1,
    reliability: [
      { upTo: 30, rows: 100, low: -0.1, high: 0.1 },
      { upTo: 60, rows: 100, low: -0.5, high: 0.5 },
    ],
  };
  return publishLive(directory, draft(model, onnx, spec), new Map([['model.onnx', bytes]]));
}

/** Without an action σ(x); a mail adds 0.1 · x. */
export function publishUplift(directory: ModelRepository, model = 'demo.uplift'): Promise<number> {
  const line = (slope: number) =>
    ({ kind: 'linear', coefficients: Float64Array.of(slope), intercept: 0 }) as const;
  const mail = {
    learner: 'by hand',
    offset: 0,
    terms: [{ weight: 0.1, head: 'identity', form: line(1) } as const],
  };
  const { bytes, ...onnx } = writeUpliftModel({ columns: 1, without: line(1), actions: [mail] });
  const none = { value: 0, low: 0, high: 0, level: 0.9 };
  const spec: UpliftSpec = {
    task: 'uplift',
    goal: 'retain',
    table: {
      columns: [
        {
          kind: 'numeric',
          column: 'x',
          fill: 0,
          transform: 'none',
          mean: 0,
          scale: 1,
          missingIndicator: false,
        },
      ],
      features: ['x'],
      standardised: true,
    },
    outcome: { event: 'order', horizonDays: 14, value: 40, currency: 'EUR', sureFrom: 0.5 },
    actions: [
      {
        id: 'mail',
        channel: 'email',
        cost: 0.5,
        learner: 'by hand',
        average: none,
        qini: none,
        reliability: [
          { upTo: 0, low: -0.3, value: -0.1, high: 0.1 },
          { upTo: 0.2, low: 0.05, value: 0.08, high: 0.12 },
        ],
      },
    ],
    refused: [{ action: 'fax', channel: null, because: 'no model beats random targeting' }],
  };
  return publishLive(directory, draft(model, onnx, spec), new Map([['model.onnx', bytes]]));
}
