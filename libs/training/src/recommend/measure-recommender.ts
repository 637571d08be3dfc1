import type { Measured } from '@sextant/artefacts';
import { measuredMean, pairedDifference } from '@sextant/learning';
import type { MatrixProduct } from '@sextant/learning/linear-algebra';
import {
  chooseRecommender,
  contentSimilarity,
  decayedPopularity,
  evaluable,
  evaluateRanking,
  fitRecommender,
  type IndexedInteractions,
  type ItemSimilarity,
  type RankingQuality,
  type RecommenderChoice,
  recommenderScore,
  type SplitCustomer,
  timeSpan,
} from '@sextant/learning/recommend';
import type { Gain } from '../gates/index.js';
import { chooseContentShare, type ContentChoice } from './choose-content-share.js';
import { splitBy, type SplitRule } from './split-rule.js';

export interface MeasureRecommenderOptions {
  seed: number;
  split: SplitRule;
  product: MatrixProduct;
  /** Words of each item, in the order of the items; new items get weights from it. */
  words?: readonly (readonly string[])[];
  /** Most items for a dense matrix, as measured when absent. */
  denseItems?: number;
  onCandidate?: (fits: number) => void | Promise<void>;
}

export interface MeasuredRecommender {
  choice: RecommenderChoice;
  /** Customers with a relevant item in test. */
  customers: number;
  /** `ndcg@10`, `recall@20`, `hr@20`, `mrr@20`, `coverage@10`; none when nobody could be judged. */
  metrics: Record<string, Measured>;
  /** The same of `popularity` (decayed as chosen) and `item-kNN` (tuned on the same inner split). */
  baselines: Record<string, Record<string, Measured>>;
  /** NDCG@10 over popularity, customer by customer; null when nobody could be judged. */
  gain: Gain | null;
  /** For a second stage: what was fitted on, and how it ranked. */
  judged: SplitCustomer[];
  past: SplitCustomer['train'][];
  similarity: ItemSimilarity;
  /** What new items get from their content; null where nothing is known of it, or the catalogue is too large. */
  lent: (ContentChoice & { content: Float32Array }) | null;
}

/** Chooses on the training part alone (by an inner split of the same kind), fits on it and measures on what was held out. */
export async function measureRecommender(
  { customers, items }: IndexedInteractions,
  options: MeasureRecommenderOptions,
): Promise<MeasuredRecommender> {
  const { seed, split, product, onCandidate, denseItems } = options;
  const itemCount = items.length;
  const splits = splitBy(customers, split, seed);
  const judged = evaluable(splits);
  const past = splits.map(({ train }) => train);
  const choice = await chooseRecommender(past, {
    itemCount,
    seed,
    product,
    split: (own) => splitBy(own, split, seed + 1),
    ...(onCandidate ? { onCandidate } : {}),
    ...(denseItems === undefined ? {} : { denseItems }),
  });
  const lent = await contentOf(past, choice, { ...options, itemCount });
  const fitChoice = lent ? { ...choice, content: { content: lent.content, share: lent.share } } : choice;
  const similarity = await fitRecommender(past, itemCount, fitChoice, product);
  const { excludeHistory } = choice;
  const score = recommenderScore(similarity, choice.tauItems);
  const ranked = (policy: typeof score): RankingQuality | null =>
    judged.length === 0 ? null : evaluateRanking(judged, itemCount, { excludeHistory, score: policy });
  const figuresOf = (quality: RankingQuality | null) => (quality ? metricsOf(quality, seed) : {});
  const popularity = popularityOf(past, itemCount, choice);
  const own = ranked(score);
  const byPopularity = ranked((_, out) => out.set(popularity));
  const baselines: MeasuredRecommender['baselines'] = { popularity: figuresOf(byPopularity) };
  const neighbours = choice.validation.alone.filter(({ setting }) => setting.model === 'item-knn');
  if (neighbours.length > 0) {
    const knn = { ...choice, components: neighbours.map(({ setting }) => setting) };
    const fitted = await fitRecommender(past, itemCount, knn, product);
    baselines['item-kNN'] = figuresOf(ranked(recommenderScore(fitted, null)));
  }
  const gain = own && byPopularity && gainOf(own, byPopularity, seed);
  const figures = { metrics: figuresOf(own), baselines: own ? baselines : {}, gain };
  return { choice, customers: judged.length, ...figures, judged, past, similarity, lent };
}

function gainOf(own: RankingQuality, popularity: RankingQuality, seed: number): Gain {
  return {
    difference: pairedDifference(own.ndcgAt10, popularity.ndcgAt10, { seed, level: 0.95 }),
    metric: `NDCG@10 of ${own.ndcgAt10.length} customers`,
    over: 'popularity',
  };
}

async function contentOf(
  past: readonly SplitCustomer['train'][],
  choice: RecommenderChoice,
  options: MeasureRecommenderOptions & { itemCount: number },
): Promise<MeasuredRecommender['lent']> {
  const { words, split, seed } = options;
  if (words === undefined || choice.als !== null) return null;
  const content = contentSimilarity(words);
  const inner = splitBy(past, split, seed + 1);
  return { ...(await chooseContentShare(inner, choice, { ...options, content })), content };
}

function popularityOf(
  past: readonly SplitCustomer['train'][],
  itemCount: number,
  { popularityHalfLifeDays: halfLifeDays }: RecommenderChoice,
): Float64Array {
  return decayedPopularity(past, itemCount, { asOf: timeSpan(past).to, halfLifeDays });
}

/** Each metric as a mean over customers with its bootstrap interval; coverage is one figure of all of them. */
export function metricsOf(quality: RankingQuality, seed: number): Record<string, Measured> {
  const coverage = quality.coverageAt10;
  return {
    'ndcg@10': measuredMean(quality.ndcgAt10, { seed }),
    'recall@20': measuredMean(quality.recallAt20, { seed }),
    'hr@20': measuredMean(quality.hitAt20, { seed }),
    'mrr@20': measuredMean(quality.reciprocalRankAt20, { seed }),
    'coverage@10': { value: coverage, low: coverage, high: coverage, level: 1 },
  };
}
