import {
  type Manifest,
  MONITOR_FILE,
  type ModelRepository,
  type MonitoringReference,
  type ScoreSpec,
} from '@sextant/artefacts';
import type { FeatureVector } from '@sextant/features';
import {
  auc,
  type Random,
  randomInteger,
  randomNormal,
  seededRandom,
  tableOfRecords,
} from '@sextant/learning';
import { buildReference } from '@sextant/learning/monitor';
import { onnxDescription, onnxFiles, writeLinearModel } from '@sextant/onnx';

const DAY_MS = 86_400_000;
export const HORIZON_DAYS = 1;
/** From here on somebody is selected. */
const HOT = 0.6;

/** What goes wrong in a window; nothing: it is like training. */
export type Trouble = 'none' | 'shifted' | 'stale' | 'gap' | 'proxy' | 'label';

/** One decision on one customer. */
export interface PlantedRow {
  customer: number;
  at: number;
  features: FeatureVector & { spend: number; visits: number; region: string };
  probability: number;
  label: 0 | 1;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const genderOf = (customer: number): string => (customer % 2 === 0 ? 'f' : 'm');

const REGIONS = 6;
const COEFFICIENTS = { spend: 1, visits: 0.2, east: 0.6 } as const;

function logOdds({ spend, visits, region }: PlantedRow['features']): number {
  const east = Number(region.slice(1)) < REGIONS / 2 ? 1 : 0;
  return (
    COEFFICIENTS.spend * (spend - 3) + COEFFICIENTS.visits * (visits - 5) + COEFFICIENTS.east * (east - 0.5)
  );
}

/** Decisions on customers of a company whose answers come true as the model says. */
export class PlantedCompany {
  private readonly random: Random;
  private readonly kinds = new Map<number, number>();
  private readonly frozen = new Map<number, number>();

  constructor(
    seed: number,
    private readonly trouble: Trouble = 'none',
  ) {
    this.random = seededRandom(seed);
  }

  /** @param isTroubled  whether the trouble has begun */
  row(customer: number, at: number, isTroubled = false): PlantedRow {
    const { random } = this;
    const trouble = isTroubled ? this.trouble : 'none';
    const kind = this.kinds.get(customer) ?? randomNormal(random);
    this.kinds.set(customer, kind);
    const lowered = trouble === 'gap' && genderOf(customer) === 'f' ? 1.5 : 0;
    const spend = 3 + 0.8 * kind + 0.6 * randomNormal(random) + (trouble === 'shifted' ? 1.2 : 0) - lowered;
    const fresh = Math.max(0, Math.round(5 + 1.5 * kind + 1.5 * randomNormal(random)));
    const visits = trouble === 'stale' ? (this.frozen.get(customer) ?? fresh) : fresh;
    this.frozen.set(customer, visits);
    const features = { spend, visits, region: this.region(customer, trouble) };
    const odds = logOdds(features);
    const label = random() < sigmoid(trouble === 'label' ? -odds : odds) ? 1 : 0;
    return { customer, at, features, probability: sigmoid(odds), label };
  }

  private region(customer: number, trouble: Trouble): string {
    const half = randomInteger(this.random, REGIONS / 2);
    const isEast = trouble === 'proxy' ? genderOf(customer) === 'f' : this.random() < 0.5;
    return `r${isEast ? half : half + REGIONS / 2}`;
  }
}

/** What training would have seen of such a company. */
export function plantedReference(): MonitoringReference {
  const company = new PlantedCompany(1);
  const rows = [0, 3, 6, 9].flatMap((day) =>
    Array.from({ length: 1_500 }, (_, customer) => company.row(customer, day * DAY_MS + customer)),
  );
  const held = Array.from({ length: 3_000 }, (_, i) => company.row(2_000 + i, 0));
  const values = Float64Array.from(held, ({ probability }) => probability);
  const labels = Uint8Array.from(held, ({ label }) => label);
  const value = auc(labels, values);
  return buildReference({
    table: tableOfRecords(rows.map(({ features }) => features)),
    at: Float64Array.from(rows, ({ at }) => at),
    subjects: rows.map(({ customer }) => String(customer)),
    importance: new Map([
      ['spend', 0.6],
      ['visits', 0.25],
      ['region', 0.15],
    ]),
    scores: [{ name: 'probability', values, labels }],
    threshold: HOT,
    performance: {
      measure: 'auc',
      value: { value, low: value - 0.02, high: value + 0.02, level: 0.9 },
      rows: held.length,
      positives: held.filter(({ label }) => label === 1).length,
    },
  });
}

const numeric = (column: string) => ({
  ...{ kind: 'numeric' as const, column, fill: 0, transform: 'none' as const },
  ...{ mean: 0, scale: 1, missingIndicator: false },
});
const CATEGORIES = Array.from({ length: REGIONS }, (_, i) => `r${i}`);
const SPEC: ScoreSpec = {
  task: 'churn',
  family: 'logistic',
  table: {
    columns: [
      numeric('spend'),
      numeric('visits'),
      { kind: 'categorical', column: 'region', categories: CATEGORIES },
    ],
    features: ['spend', 'visits', ...CATEGORIES.map((each) => `region=${each}`), 'region=(other)'],
    standardised: false,
  },
  explainFile: null,
  bands: { warm: 0.3, hot: HOT },
  quantiles: Array.from({ length: 101 }, (_, i) => i / 100),
  reliability: [{ upTo: 1, rows: 100, positives: 50 }],
  horizonDays: HORIZON_DAYS,
};
const CARD = {
  ...{ purpose: 'test', trainingData: 'none', features: [], chosenBecause: 'written by hand' },
  ...{ metrics: {}, baselineMetrics: {}, limitations: ['a test model'], warnings: [] },
};

/** Puts the company's model live for a tenant, with its reference. @returns its version */
export async function publishPlanted(
  repository: ModelRepository,
  tenantId: string,
  reference: MonitoringReference,
): Promise<number> {
  const { spend, visits, east } = COEFFICIENTS;
  const regions = CATEGORIES.map((_, i) => (i < REGIONS / 2 ? east / 2 : -east / 2));
  const linear = {
    coefficients: Float64Array.of(spend, visits, ...regions, 0),
    intercept: -3 * spend - 5 * visits,
  };
  const written = writeLinearModel(linear, { kind: 'probability', platt: { a: 1, b: 0 } });
  const model = `${tenantId}.churn`;
  const manifest: Omit<Manifest, 'version' | 'files' | 'formatVersion'> = {
    ...{
      model,
      tenantId,
      trainedAt: '2026-03-01T00:00:00Z',
      seed: 1,
      dataSha256: '0'.repeat(64),
      dataRows: 0,
    },
    ...{
      onnx: onnxDescription(written),
      metrics: {},
      baselineMetrics: {},
      warmUpBatchSizes: [1, 8],
      spec: SPEC,
    },
    monitorFile: MONITOR_FILE,
  };
  const files = new Map<string, Uint8Array>([
    ...onnxFiles(written),
    [MONITOR_FILE, Buffer.from(JSON.stringify(reference))],
  ]);
  const { version } = await repository.publish(manifest, files, CARD);
  await repository.setLiveVersion(model, version);
  return version;
}
