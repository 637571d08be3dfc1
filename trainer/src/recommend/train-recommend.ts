import { type ModelCard, modelName, MONITOR_FILE, type RecommendSpec } from '@sextant/artefacts';
import {
  type CustomerInteractions,
  fillHistoryRow,
  isDense,
  type ItemSimilarity,
  relevantItems,
  scoreItems,
  weighHistory,
} from '@sextant/learning/recommend';
import { writeRecommender } from '@sextant/onnx';
import { evidenceOf, type ModelEvidence, type ParityProbe } from '@sextant/training/gates';
import {
  describeRecommender,
  reasonOfChoice,
  trainRecommender,
  type TrainedRecommender,
  warningsOf,
} from '@sextant/training/recommend';
import { monitorFileOf, monitorHistories } from '@sextant/training/monitor';
import type { TrainedModel } from '../publisher.js';

export interface RecommendTraining {
  tenantId: string;
  customers: Iterable<CustomerInteractions> | AsyncIterable<CustomerInteractions>;
  /** SHA-256 of the training rows in order, hex. */
  dataSha256: string;
  dataRows: number;
}

export interface RecommendTrainingOptions {
  seed: number;
  now: Date;
  /** Share of the work done, in [0, 1], and what comes next; awaited. */
  onProgress?: (share: number, step: string) => void | Promise<void>;
  /** Most items of a model, by interactions; memory grows with its square. */
  maxItems?: number;
  /** Most items for a dense matrix; a larger catalogue gets factors. */
  denseItems?: number;
}

const SIMILARITY_FILE = 'similarity.f32';
const PROBED_CUSTOMERS = 50;

/**
 * A version of the recommender from interactions. Equal rows, seed and `now` give equal files.
 *
 * @throws DomainError DATA_INSUFFICIENT without any interaction
 */
export async function trainRecommend(
  { tenantId, customers, dataSha256, dataRows }: RecommendTraining,
  { now, ...options }: RecommendTrainingOptions,
): Promise<TrainedModel> {
  const trained = await trainRecommender(customers, options);
  const { bytes, ...onnx } = writeRecommender(trained.similarity);
  const draft = {
    model: modelName(tenantId, 'recommend'),
    tenantId,
    trainedAt: now.toISOString(),
    seed: options.seed,
    dataSha256,
    dataRows,
    onnx,
    metrics: trained.measured.metrics,
    baselineMetrics: trained.measured.baselines['popularity'] ?? {},
    warmUpBatchSizes: [1, 8, 64],
    monitorFile: MONITOR_FILE,
    spec: specOf(trained),
  };
  const similarity = bytesOf(trained.similarity);
  const met = trained.data.customers.map((customer) => new Set(relevantItems(customer)).size);
  const files = new Map([
    ...Object.entries({ 'model.onnx': bytes, [SIMILARITY_FILE]: similarity }),
    monitorFileOf(monitorHistories(met)),
  ]);
  return { draft, files, card: cardOf(trained), evidence: evidenceFor(trained) };
}

function evidenceFor(trained: TrainedRecommender): ModelEvidence {
  return evidenceOf({
    gain: trained.measured.gain,
    probe: probeOf(trained),
    headline: { metric: 'ndcg@10', higherIsBetter: true },
    notCalibrated: 'the model ranks items and gives no probability',
    notLeaking: 'the model reads the interactions before those that it is judged by and nothing else',
  });
}

/** Some customers, and what the fitted weights say of each. */
function probeOf({ data, measured, similarity }: TrainedRecommender): ParityProbe {
  const { itemCount } = similarity;
  const sample = data.customers.slice(0, PROBED_CUSTOMERS);
  const input = new Float32Array(sample.length * (itemCount + 1));
  const expected = new Float64Array(sample.length * itemCount);
  for (const [row, customer] of sample.entries()) {
    const history = weighHistory(relevantItems(customer), measured.choice.tauItems);
    fillHistoryRow(input.subarray(row * (itemCount + 1), (row + 1) * (itemCount + 1)), history);
    scoreItems(similarity, history, expected.subarray(row * itemCount, (row + 1) * itemCount));
  }
  return { input, rows: sample.length, expected, tolerance: 1e-4 };
}

function specOf({ data, measured, similarity }: TrainedRecommender): RecommendSpec {
  const { als, tauItems, excludeHistory } = measured.choice;
  const components: RecommendSpec['components'] = als
    ? [{ model: 'als', regularisation: als.regularisation, reachItems: null }]
    : measured.choice.components;
  return {
    task: 'recommend',
    items: data.items,
    components,
    tauItems,
    excludeHistory,
    rank: isDense(similarity) ? null : similarity.rank,
    similarityFile: SIMILARITY_FILE,
  };
}

/** The matrix, or both factors one after the other. */
function bytesOf(similarity: ItemSimilarity): Uint8Array {
  const parts = isDense(similarity) ? [similarity.matrix] : [similarity.sources, similarity.targets];
  return Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)));
}

function cardOf({ data, measured }: TrainedRecommender): ModelCard {
  return {
    purpose:
      'Ranks the items of the catalogue for one customer, from the items that the customer met so far.',
    trainingData: `${data.interactionCount} interactions of ${data.customers.length} customers with ${data.items.length} items.`,
    features: [
      'the relevant items of the customer, oldest first',
      'decayed popularity, for customers without history and for ties',
    ],
    chosenBecause: `${describeRecommender(measured.choice)}: ${reasonOfChoice(measured.choice)}.`,
    metrics: measured.metrics,
    baselineMetrics: measured.baselines['popularity'] ?? {},
    limitations: [
      `Measured on ${measured.customers} customers by the last fifth of each one's interactions; the model served is fitted again on all of them with the same settings.`,
      'Offline hits are counted only on items that customers found without it, so what it could newly introduce is not measured.',
      'An item that nobody met has no score but its popularity of zero; new items need exposure first.',
      'Only which items were met counts, not how often.',
    ],
    warnings: warningsOf(measured, data.droppedItems, measured),
  };
}
