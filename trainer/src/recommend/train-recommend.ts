import { setImmediate } from 'node:timers/promises';
import { type Measured, type ModelCard, modelName, type RecommendSpec } from '@sextant/artefacts';
import {
  chooseRecommender,
  type CustomerInteractions,
  decayedPopularity,
  evaluable,
  evaluateRanking,
  fitRecommender,
  type IndexedInteractions,
  indexInteractions,
  type ItemSimilarity,
  measuredMean,
  type RecommenderChoice,
  recommenderScore,
  splitLater,
  timeSpan,
} from '@sextant/learning';
import { writeRecommender } from '@sextant/onnx';
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
  /** Most items of a model, by interactions; memory grows with its square. 5,000 when absent. */
  maxItems?: number;
}

interface Evaluation {
  metrics: Record<string, Measured>;
  baselineMetrics: Record<string, Measured>;
  customers: number;
}

const TEST_SHARE = 0.2;
const DEFAULT_MAX_ITEMS = 5000;
/** Climbing the ladder of lambdas rarely takes more fits than this. */
const TYPICAL_FITS = 8;
const SIMILARITY_FILE = 'similarity.f32';

/**
 * Trains the recommender: everything is chosen on an inner split of each customer's past, measured on the last fifth that the
 * choice never saw, and then fitted on all interactions. Equal rows, seed and `now` give equal files.
 *
 * @throws DomainError DATA_INSUFFICIENT without any interaction
 */
export async function trainRecommend(
  { tenantId, customers, dataSha256, dataRows }: RecommendTraining,
  options: RecommendTrainingOptions,
): Promise<TrainedModel> {
  const progress = reporter(options.onProgress);
  await progress(0, 'reading interactions');
  const data = await indexInteractions(customers, options.maxItems ?? DEFAULT_MAX_ITEMS);
  const itemCount = data.items.length;
  const past = splitLater(data.customers, TEST_SHARE).map(({ train }) => train);
  const { seed, now } = options;
  const choice = await chooseRecommender(past, {
    itemCount,
    seed,
    onCandidate: (fits) =>
      progress(Math.min(0.8, (0.8 * fits) / TYPICAL_FITS), `choosing among recommenders (${fits} fitted)`),
  });
  await progress(0.8, 'measuring on what came later');
  const evaluation = evaluate(data, choice, seed);
  await progress(0.9, 'fitting on all interactions');
  const similarity = fitRecommender(data.customers, itemCount, choice);
  const { bytes, ...onnx } = writeRecommender(similarity);
  const { metrics, baselineMetrics } = evaluation;
  const draft = {
    model: modelName(tenantId, 'recommend'),
    tenantId,
    trainedAt: now.toISOString(),
    seed,
    dataSha256,
    dataRows,
    onnx,
    metrics,
    baselineMetrics,
    warmUpBatchSizes: [1, 8, 64],
    spec: specOf(data, choice),
  };
  await progress(1, 'recommender trained');
  const files = new Map(Object.entries({ 'model.onnx': bytes, [SIMILARITY_FILE]: bytesOf(similarity) }));
  return { draft, files, card: cardOf(data, choice, evaluation) };
}

/** Tells how far the work is, and lets the process answer others before it goes on. */
function reporter(onProgress: RecommendTrainingOptions['onProgress']) {
  return async (share: number, step: string): Promise<void> => {
    await onProgress?.(share, step);
    await setImmediate();
  };
}

/** NDCG@10 and recall@20 over customers with a relevant later interaction, beside ranking everyone by popularity. */
function evaluate(
  { customers, items }: IndexedInteractions,
  choice: RecommenderChoice,
  seed: number,
): Evaluation {
  const splits = splitLater(customers, TEST_SHARE);
  const judged = evaluable(splits);
  if (judged.length === 0) return { metrics: {}, baselineMetrics: {}, customers: 0 };
  const past = splits.map(({ train }) => train);
  const { excludeHistory, tauItems, popularityHalfLifeDays: halfLifeDays } = choice;
  const similarity = fitRecommender(past, items.length, choice);
  const popularity = decayedPopularity(past, items.length, { asOf: timeSpan(past).to, halfLifeDays });
  const model = evaluateRanking(judged, items.length, {
    excludeHistory,
    score: recommenderScore(similarity, tauItems),
  });
  const baseline = evaluateRanking(judged, items.length, {
    excludeHistory,
    score: (_, out) => out.set(popularity),
  });
  const measured = ({ ndcgAt10, recallAt20 }: typeof model): Record<string, Measured> => ({
    'ndcg@10': measuredMean(ndcgAt10, { seed }),
    'recall@20': measuredMean(recallAt20, { seed }),
  });
  return { metrics: measured(model), baselineMetrics: measured(baseline), customers: judged.length };
}

function specOf(
  { items }: IndexedInteractions,
  { lambda, tauItems, excludeHistory }: RecommenderChoice,
): RecommendSpec {
  return { task: 'recommend', items, lambda, tauItems, excludeHistory, similarityFile: SIMILARITY_FILE };
}

function bytesOf({ matrix }: ItemSimilarity): Uint8Array {
  return new Uint8Array(matrix.buffer, matrix.byteOffset, matrix.byteLength);
}

function cardOf(data: IndexedInteractions, choice: RecommenderChoice, evaluation: Evaluation): ModelCard {
  return {
    purpose:
      'Ranks the items of the catalogue for one customer, from the items that the customer met so far.',
    trainingData: `${data.interactionCount} interactions of ${data.customers.length} customers with ${data.items.length} items.`,
    features: [
      'the relevant items of the customer, oldest first',
      'decayed popularity, for customers without history and for ties',
    ],
    chosenBecause: chosenBecause(choice),
    metrics: evaluation.metrics,
    baselineMetrics: evaluation.baselineMetrics,
    limitations: [
      `Measured on ${evaluation.customers} customers by the last fifth of each one's interactions; the model served is fitted again on all of them with the same settings.`,
      'Offline hits are counted only on items that customers found without it, so what it could newly introduce is not measured.',
      'An item that nobody met has no score but its popularity of zero; new items need exposure first.',
      'Only which items were met counts, not how often.',
    ],
    warnings: warningsOf(data, evaluation),
  };
}

function chosenBecause({
  lambda,
  tauItems,
  coOccurrenceOf,
  validation,
  excludeHistory,
}: RecommenderChoice): string {
  if (validation.customers === 0)
    return 'No customer has a later interaction to judge by: the defaults were taken.';
  const memory =
    tauItems === null ? 'no forgetting' : `history weights falling to 1/e every ${tauItems} items`;
  const known = excludeHistory ? 'leaving out known items' : 'showing known items again';
  return (
    `EASE with lambda ${lambda}, ${memory}, ${known} and co-occurrence of ${coOccurrenceOf} interactions: NDCG@10 ` +
    `${validation.ndcgAt10.toFixed(4)} on an inner later split of ${validation.customers} customers, against ` +
    `${validation.popularityNdcgAt10.toFixed(4)} by popularity; the best of ${validation.candidates} candidates reached ` +
    `${validation.bestNdcgAt10.toFixed(4)}, and among those within one standard error the longest memory was kept.`
  );
}

function warningsOf(
  { droppedItems }: IndexedInteractions,
  { customers, metrics, baselineMetrics }: Evaluation,
): string[] {
  const warnings: string[] = [];
  if (droppedItems > 0) warnings.push(`${droppedItems} of the least met items are left out of the model.`);
  if (customers < 100) warnings.push(`Only ${customers} customers could be judged: the metrics say little.`);
  const [model, popularity] = [metrics['ndcg@10'], baselineMetrics['ndcg@10']];
  if (model && popularity && model.value <= popularity.value) {
    warnings.push('On later interactions it was no better than ranking everyone by popularity.');
  }
  return warnings;
}
