import { type MatrixProduct, multiply } from '../linear-algebra/matrix-product.js';
import { mean } from '../metrics/probability.js';
import { randomPermutation, seededRandom } from '../random/seeded-random.js';
import { blendSubsets, type BlendCandidate } from './blend-subsets.js';
import { alsCandidates, DEFAULT_ALS } from './als-candidates.js';
import type { AlsOptions } from './als.js';
import { type ColdItems, lendToColdItems } from './content.js';
import { type ItemSimilarity, scoreItems, withPrior } from './ease.js';
import { evaluable, evaluateRanking } from './evaluate-ranking.js';
import { fitFactorSimilarity } from './factor-similarity.js';
import { weighHistory } from './history-weights.js';
import type { InnerSplit } from './inner-split.js';
import { type IndexedCustomer, relevantItems, splitLater, type SplitCustomer } from './interactions.js';
import { fitItemModel, type ItemModelSetting } from './item-models.js';
import { decayedPopularity, halfLivesFor, timeSpan } from './popularity.js';
import { tuneItemModels, type TunedItemModel } from './tune-item-models.js';

/** Everything about a recommender that is not fitted but chosen. */
export interface RecommenderChoice {
  /** Whose mean the weights between items are; none: everyone is ranked by popularity. */
  components: ItemModelSetting[];
  /** The factor model of a catalogue that is too large for weights between all items; null where the components hold. */
  als: AlsOptions | null;
  /** Items after which a history weight falls to 1/e; null = no forgetting. */
  tauItems: number | null;
  excludeHistory: boolean;
  popularityHalfLifeDays: number | null;
  /** NDCG@10 on the inner split: of the choice, of popularity, of the best candidate whatever its memory, and of each model alone. */
  validation: {
    ndcgAt10: number;
    popularityNdcgAt10: number;
    bestNdcgAt10: number;
    alone: { setting: ItemModelSetting; ndcgAt10: number }[];
    customers: number;
    candidates: number;
  };
}

export interface ChooseOptions {
  itemCount: number;
  seed: number;
  /** How the inner split is made: as the outer one. The last fifth of each customer's past when absent. */
  split?: (customers: readonly IndexedCustomer[]) => SplitCustomer[];
  product?: MatrixProduct;
  /** Most items for a dense matrix; {@link DENSE_ITEMS} when absent. */
  denseItems?: number;
  /** Called between fits with the number done so far; awaited, so that a process can stay responsive. */
  onCandidate?: (fits: number) => void | Promise<void>;
}

/**
 * Up to here every pair of items has a weight; a larger catalogue gets ALS factors. An inverse of n items peaks at about 30·n² bytes and
 * takes 2·10⁻¹¹·n³ CPU seconds (measured: 10,000 items 3.0 GB and 21 s, 5,000 items 0.8 GB and 3 s), the served matrix has 4·n² bytes: at
 * this size 4.3 GB, 36 s a model and 0.6 GB.
 */
export const DENSE_ITEMS = 12_000;
const INNER_SHARE = 0.2;
const MAX_JUDGED_CUSTOMERS = 2000;
/** Scoring a large catalogue is dear, and this many customers tell factors apart. */
const MAX_JUDGED_OF_LARGE = 500;
/** Items of the choice: a larger catalogue is chosen for on its most met items and then fitted whole. */
const MAX_CHOICE_ITEMS = 4000;
/** What is served where nobody can be judged: mild regularisation, no forgetting, no repeats. */
const UNJUDGED: Pick<RecommenderChoice, 'components' | 'als' | 'tauItems' | 'excludeHistory'> = {
  components: [{ model: 'ease', regularisation: 200, reachItems: null }],
  als: null,
  tauItems: null,
  excludeHistory: true,
};

/**
 * Chooses the models between items and their regularisation, the memory τ, the exclusion of known items and the popularity half-life
 * on an inner split: NDCG@10 over all items, of what each customer met with relevance afterwards. First each model is tuned alone;
 * then every blend of them (mean of their weights) is tried with every memory. Among candidates within one standard error of the
 * best (paired over customers) the longest memory wins, then the highest mean; where none beats popularity, popularity is chosen.
 *
 * @param customers  training customers only
 *
 * Source of the one-standard-error rule: Breiman, Friedman, Olshen and Stone (1984), "Classification and regression trees", section 3.4.3.
 */
export async function chooseRecommender(
  customers: readonly IndexedCustomer[],
  options: ChooseOptions,
): Promise<RecommenderChoice> {
  const isLarge = options.itemCount > (options.denseItems ?? DENSE_ITEMS);
  const { customers: met, itemCount } = isLarge
    ? { customers, itemCount: options.itemCount }
    : mostMet(customers, options.itemCount);
  const splits = (options.split ?? ((all) => splitLater(all, INNER_SHARE)))(met);
  const most = isLarge ? MAX_JUDGED_OF_LARGE : MAX_JUDGED_CUSTOMERS;
  const judged = sample(evaluable(splits), most, options.seed);
  const past = splits.map(({ train }) => train);
  const popularity = choosePopularity(past, judged, itemCount);
  const exclusions = judged.some(repeats) ? [true, false] : [true];
  const inner: InnerSplit = { itemCount, past, judged, exclusions, product: options.product ?? multiply };
  const validation = { popularityNdcgAt10: popularity.ndcgAt10, customers: judged.length };
  const { halfLifeDays: popularityHalfLifeDays } = popularity;
  if (judged.length === 0) {
    const nothing = { ndcgAt10: 0, bestNdcgAt10: 0, alone: [], candidates: 0 };
    const als = isLarge ? { ...DEFAULT_ALS, seed: options.seed } : null;
    return { ...UNJUDGED, als, popularityHalfLifeDays, validation: { ...validation, ...nothing } };
  }
  const { tuned, candidates } = await (isLarge ? factorCandidates : denseCandidates)(inner, options);
  const best = candidates.reduce((top, c) => (mean(top.ndcg) >= mean(c.ndcg) ? top : c));
  const { ndcg, ...chosen } = orPopularity(longestMemory(candidates, best), popularity);
  const found = {
    ndcgAt10: mean(ndcg),
    bestNdcgAt10: mean(best.ndcg),
    alone: tuned,
    candidates: candidates.length,
  };
  return { ...chosen, popularityHalfLifeDays, validation: { ...validation, ...found } };
}

interface Candidates {
  tuned: TunedItemModel[];
  candidates: BlendCandidate[];
}

async function denseCandidates(inner: InnerSplit, { onCandidate }: ChooseOptions): Promise<Candidates> {
  const tuned = await tuneItemModels(inner, onCandidate);
  const settings = tuned.map(({ setting }) => setting);
  return { tuned, candidates: await blendSubsets(inner, settings) };
}

async function factorCandidates(inner: InnerSplit, options: ChooseOptions): Promise<Candidates> {
  return { tuned: [], candidates: await alsCandidates(inner, options) };
}

/** What of a choice is fitted, and what items are about where that is known. */
export interface FitChoice extends Pick<RecommenderChoice, 'components' | 'als' | 'popularityHalfLifeDays'> {
  content?: Pick<ColdItems, 'content' | 'share'>;
}

/**
 * Fits the blend, or the factors, and the prior as chosen. The prior is as of the last interaction. Items that nobody met get weights
 * from their content where it is given; beside factors it is not used.
 */
export async function fitRecommender(
  customers: readonly IndexedCustomer[],
  itemCount: number,
  choice: FitChoice,
  product: MatrixProduct = multiply,
): Promise<ItemSimilarity> {
  const { als, popularityHalfLifeDays } = choice;
  if (als) return fitFactorSimilarity(customers, itemCount, { ...als, popularityHalfLifeDays });
  const popularity = decayedPopularity(customers, itemCount, {
    asOf: timeSpan(customers).to,
    halfLifeDays: popularityHalfLifeDays,
  });
  const weights = await fitBlend(customers, itemCount, { ...choice, product });
  if (choice.content)
    lendToColdItems(weights, popularity, { met: timesMet(customers, itemCount), ...choice.content });
  return withPrior(weights, popularity);
}

/** @returns the mean of the components' weights, row-major, shape [itemCount, itemCount] */
export async function fitBlend(
  customers: readonly IndexedCustomer[],
  itemCount: number,
  { components, product }: { components: readonly ItemModelSetting[]; product: MatrixProduct },
): Promise<Float32Array> {
  const weights = new Float32Array(itemCount * itemCount);
  const share = 1 / components.length;
  for (const setting of components) {
    const own = await fitItemModel(customers, itemCount, setting, product);
    for (let at = 0; at < weights.length; at++)
      weights[at] = (weights[at] as number) + share * (own[at] as number);
  }
  return weights;
}

/** Scores of a customer's past as the worker computes them. */
export function recommenderScore(similarity: ItemSimilarity, tauItems: number | null) {
  return ({ train }: SplitCustomer, out: Float64Array): void =>
    scoreItems(similarity, weighHistory(relevantItems(train), tauItems), out);
}

function longestMemory(candidates: readonly BlendCandidate[], best: BlendCandidate): BlendCandidate {
  const memory = ({ tauItems }: BlendCandidate): number => tauItems ?? Number.POSITIVE_INFINITY;
  return candidates
    .filter((candidate) => withinOneStandardError(best.ndcg, candidate.ndcg))
    .reduce((kept, c) => {
      if (memory(c) !== memory(kept)) return memory(c) > memory(kept) ? c : kept;
      return mean(c.ndcg) > mean(kept.ndcg) ? c : kept;
    }, best);
}

function withinOneStandardError(best: Float64Array, other: Float64Array): boolean {
  const differences = best.map((value, i) => value - (other[i] ?? 0));
  const shortfall = mean(differences);
  const variance = mean(differences.map((d) => (d - shortfall) ** 2));
  return shortfall <= Math.sqrt(variance / differences.length);
}

interface ChosenPopularity {
  halfLifeDays: number | null;
  ndcgAt10: number;
  ndcg: Float64Array;
}

function orPopularity(chosen: BlendCandidate, { ndcgAt10, ndcg }: ChosenPopularity): BlendCandidate {
  return mean(chosen.ndcg) > ndcgAt10
    ? chosen
    : { components: [], als: null, tauItems: null, excludeHistory: true, ndcg };
}

function choosePopularity(
  past: readonly IndexedCustomer[],
  judged: readonly SplitCustomer[],
  itemCount: number,
): ChosenPopularity {
  const span = timeSpan(past);
  const tried = halfLivesFor(span).map((halfLifeDays) => {
    const counts = decayedPopularity(past, itemCount, { asOf: span.to, halfLifeDays });
    const policy = { excludeHistory: true, score: (_: SplitCustomer, out: Float64Array) => out.set(counts) };
    const ndcg = evaluateRanking(judged, itemCount, policy).ndcgAt10;
    return { halfLifeDays, ndcg, ndcgAt10: judged.length === 0 ? 0 : mean(ndcg) };
  });
  return tried.reduce((top, candidate) => (candidate.ndcgAt10 > top.ndcgAt10 ? candidate : top));
}

/** Customers with the most met items only, renumbered in their order. */
function mostMet(
  customers: readonly IndexedCustomer[],
  itemCount: number,
): { customers: readonly IndexedCustomer[]; itemCount: number } {
  if (itemCount <= MAX_CHOICE_ITEMS) return { customers, itemCount };
  const met = timesMet(customers, itemCount);
  const order = Uint32Array.from(met.keys()).sort((a, b) => (met[b] ?? 0) - (met[a] ?? 0) || a - b);
  const numberOf = new Int32Array(itemCount).fill(-1);
  order
    .subarray(0, MAX_CHOICE_ITEMS)
    .sort()
    .forEach((item, index) => (numberOf[item] = index));
  const kept = customers.map(({ items, relevant, at }) => {
    const isKept = (_: unknown, i: number): boolean => (numberOf[items[i] ?? 0] ?? -1) >= 0;
    return {
      items: items.filter(isKept).map((item) => numberOf[item] ?? 0),
      relevant: relevant.filter(isKept),
      at: at.filter(isKept),
    };
  });
  return { customers: kept, itemCount: MAX_CHOICE_ITEMS };
}

function timesMet(customers: readonly IndexedCustomer[], itemCount: number): Uint32Array {
  const met = new Uint32Array(itemCount);
  for (const { items } of customers) for (const item of items) met[item] = (met[item] ?? 0) + 1;
  return met;
}

/** Whether the customer came back to a known item with relevance. */
function repeats({ train, test }: SplitCustomer): boolean {
  const known = new Set(train.items);
  return relevantItems(test).some((item) => known.has(item));
}

function sample(splits: SplitCustomer[], most: number, seed: number): SplitCustomer[] {
  if (splits.length <= most) return splits;
  const order = randomPermutation(seededRandom(seed), splits.length).subarray(0, most).sort();
  return Array.from(order, (index) => splits[index]).filter((split) => split !== undefined);
}
