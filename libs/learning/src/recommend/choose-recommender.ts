import { mean } from '../metrics/probability.js';
import { randomPermutation, seededRandom } from '../random/seeded-random.js';
import { coOccurrence, fitEase, type ItemSimilarity, scoreItems } from './ease.js';
import { evaluable, evaluateRanking } from './evaluate-ranking.js';
import { weighHistory } from './history-weights.js';
import { type IndexedCustomer, relevantItems, splitLater, type SplitCustomer } from './interactions.js';
import { decayedPopularity, halfLivesFor, timeSpan } from './popularity.js';

/** Everything about a recommender that is not fitted but chosen. */
export interface RecommenderChoice {
  lambda: number;
  /** Items after which a history weight falls to 1/e; null = no forgetting. */
  tauItems: number | null;
  excludeHistory: boolean;
  /** Which interactions the co-occurrence counts: all, or the relevant ones only. */
  coOccurrenceOf: 'all' | 'relevant';
  popularityHalfLifeDays: number | null;
  /** NDCG@10 of the choice on the inner split, by popularity and by the best candidate whatever its memory. */
  validation: {
    ndcgAt10: number;
    popularityNdcgAt10: number;
    bestNdcgAt10: number;
    customers: number;
    candidates: number;
  };
}

export interface ChooseOptions {
  itemCount: number;
  seed: number;
  /** Called between fits with the number done so far; awaited, so that a process can stay responsive. */
  onCandidate?: (fits: number) => void | Promise<void>;
}

interface Candidate {
  lambda: number;
  tauItems: number | null;
  excludeHistory: boolean;
  coOccurrenceOf: 'all' | 'relevant';
  ndcg: Float64Array;
}

interface Inner {
  itemCount: number;
  splits: SplitCustomer[];
  judged: SplitCustomer[];
  popularity: Float64Array;
  exclusions: boolean[];
}

const INNER_SHARE = 0.2;
const MAX_JUDGED_CUSTOMERS = 2000;
const LAMBDAS = [12.5, 25, 50, 100, 200, 400, 800, 1600, 3200, 6400];
const FIRST_LAMBDA = 4;
const TAUS: readonly (number | null)[] = [null, 200, 100, 50, 20, 10, 5, 2];
/** What is served where nobody can be judged: mild regularisation, no forgetting, no repeats. */
const UNJUDGED = { lambda: 200, tauItems: null, excludeHistory: true, coOccurrenceOf: 'all' } as const;

/**
 * Chooses λ, τ, the exclusion of known items, the counted interactions and the popularity half-life on an inner split later in
 * time: of each customer's past the last fifth is held out and NDCG@10 is measured over all items. λ climbs a ladder of factors of 2 from 200. Among
 * candidates within one standard error of the best (paired over customers) the longest memory wins, then the highest mean.
 *
 * @param customers  training customers only
 *
 * Source of the one-standard-error rule: Breiman, Friedman, Olshen and Stone (1984), "Classification and regression trees", section 3.4.3.
 */
export async function chooseRecommender(
  customers: readonly IndexedCustomer[],
  options: ChooseOptions,
): Promise<RecommenderChoice> {
  const splits = splitLater(customers, INNER_SHARE);
  const judged = sample(evaluable(splits), options.seed);
  const past = splits.map(({ train }) => train);
  const popularity = choosePopularity(past, judged, options.itemCount);
  const inner: Inner = {
    itemCount: options.itemCount,
    splits,
    judged,
    popularity: popularity.counts,
    exclusions: judged.some(repeats) ? [true, false] : [true],
  };
  const candidates = judged.length === 0 ? [] : await allCandidates(inner, options.onCandidate);
  const best = candidates.reduce<Candidate | null>(
    (top, c) => (top && mean(top.ndcg) >= mean(c.ndcg) ? top : c),
    null,
  );
  const chosen = best && longestMemory(candidates, best);
  const { lambda, tauItems, excludeHistory, coOccurrenceOf } = chosen ?? UNJUDGED;
  return {
    lambda,
    tauItems,
    excludeHistory,
    coOccurrenceOf,
    popularityHalfLifeDays: popularity.halfLifeDays,
    validation: {
      ndcgAt10: chosen ? mean(chosen.ndcg) : 0,
      popularityNdcgAt10: popularity.ndcgAt10,
      bestNdcgAt10: best ? mean(best.ndcg) : 0,
      customers: judged.length,
      candidates: candidates.length,
    },
  };
}

/** Fits EASE and its prior as chosen. The prior is as of the last interaction. */
export function fitRecommender(
  customers: readonly IndexedCustomer[],
  itemCount: number,
  choice: Pick<RecommenderChoice, 'lambda' | 'coOccurrenceOf' | 'popularityHalfLifeDays'>,
): ItemSimilarity {
  const halfLifeDays = choice.popularityHalfLifeDays;
  const popularity = decayedPopularity(customers, itemCount, { asOf: timeSpan(customers).to, halfLifeDays });
  return fitEase(
    coOccurrence(baskets(customers, choice.coOccurrenceOf), itemCount),
    popularity,
    choice.lambda,
  );
}

/** Scores of a customer's past as the worker computes them. */
export function recommenderScore(similarity: ItemSimilarity, tauItems: number | null) {
  return ({ train }: SplitCustomer, out: Float64Array): void =>
    scoreItems(similarity, weighHistory(relevantItems(train), tauItems), out);
}

async function allCandidates(inner: Inner, onCandidate: ChooseOptions['onCandidate']): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  let fits = 0;
  let start = FIRST_LAMBDA;
  const anyIrrelevant = inner.splits.some(({ train }) => train.relevant.includes(0));
  for (const of of anyIrrelevant ? (['all', 'relevant'] as const) : (['all'] as const)) {
    const counts = coOccurrence(
      baskets(
        inner.splits.map(({ train }) => train),
        of,
      ),
      inner.itemCount,
    );
    const tried = new Map<number, Candidate[]>();
    const heightAt = async (step: number): Promise<number> => {
      const lambda = LAMBDAS[step];
      if (lambda === undefined) return Number.NEGATIVE_INFINITY;
      if (!tried.has(step)) {
        tried.set(step, candidatesAt(inner, { counts, lambda, of }));
        await onCandidate?.(++fits);
      }
      return Math.max(...(tried.get(step) ?? []).map(({ ndcg }) => mean(ndcg)));
    };
    start = await climb(start, heightAt);
    candidates.push(...[...tried.values()].flat());
  }
  return candidates;
}

/** Walks from a step to the top of its hill, trying one step beyond in both directions. */
async function climb(start: number, heightAt: (step: number) => Promise<number>): Promise<number> {
  let top = start;
  for (const direction of [1, -1]) {
    while ((await heightAt(top + direction)) > (await heightAt(top))) top += direction;
  }
  return top;
}

function candidatesAt(
  inner: Inner,
  { counts, lambda, of }: { counts: Float64Array; lambda: number; of: 'all' | 'relevant' },
): Candidate[] {
  const similarity = fitEase(counts, inner.popularity, lambda);
  return TAUS.flatMap((tauItems) =>
    inner.exclusions.map((excludeHistory) => {
      const policy = { excludeHistory, score: recommenderScore(similarity, tauItems) };
      const { ndcgAt10 } = evaluateRanking(inner.judged, inner.itemCount, policy);
      return { lambda, tauItems, excludeHistory, coOccurrenceOf: of, ndcg: ndcgAt10 };
    }),
  );
}

function longestMemory(candidates: readonly Candidate[], best: Candidate): Candidate {
  const memory = ({ tauItems }: Candidate): number => tauItems ?? Number.POSITIVE_INFINITY;
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

function choosePopularity(
  past: readonly IndexedCustomer[],
  judged: readonly SplitCustomer[],
  itemCount: number,
): { halfLifeDays: number | null; counts: Float64Array; ndcgAt10: number } {
  const span = timeSpan(past);
  const tried = halfLivesFor(span).map((halfLifeDays) => {
    const counts = decayedPopularity(past, itemCount, { asOf: span.to, halfLifeDays });
    const policy = { excludeHistory: true, score: (_: SplitCustomer, out: Float64Array) => out.set(counts) };
    const ndcgAt10 = judged.length === 0 ? 0 : mean(evaluateRanking(judged, itemCount, policy).ndcgAt10);
    return { halfLifeDays, counts, ndcgAt10 };
  });
  return tried.reduce((top, candidate) => (candidate.ndcgAt10 > top.ndcgAt10 ? candidate : top));
}

function baskets(customers: readonly IndexedCustomer[], of: 'all' | 'relevant'): Uint32Array[] {
  return customers.map((customer) =>
    Uint32Array.from(new Set(of === 'all' ? customer.items : relevantItems(customer))),
  );
}

/** Whether the customer came back to a known item with relevance. */
function repeats({ train, test }: SplitCustomer): boolean {
  const known = new Set(train.items);
  return relevantItems(test).some((item) => known.has(item));
}

function sample(splits: SplitCustomer[], seed: number): SplitCustomer[] {
  if (splits.length <= MAX_JUDGED_CUSTOMERS) return splits;
  const order = randomPermutation(seededRandom(seed), splits.length).subarray(0, MAX_JUDGED_CUSTOMERS).sort();
  return Array.from(order, (index) => splits[index]).filter((split) => split !== undefined);
}
