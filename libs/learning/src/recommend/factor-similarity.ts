import { invertPositiveDefinite } from '../linear-algebra/positive-definite.js';
import { type AlsOptions, fitAls, gramOf } from './als.js';
import type { FactorSimilarity } from './ease.js';
import type { IndexedCustomer } from './interactions.js';
import { baskets } from './item-models.js';
import { decayedPopularity, timeSpan } from './popularity.js';

/** The prior's largest value as a share of a typical strong similarity. */
const PRIOR_SHARE = 1e-4;

/**
 * Similarity between items by ALS factors y: a history with weights w scores (Σ wᵢyᵢ)·(YᵀY + λI)⁻¹·Y, the factor that best explains it
 * were all confidences 1. It is linear in the history like a dense matrix, so that the same weights by recency and the same reasons
 * per item hold, in O(items · rank) memory. One more dimension carries the popularity prior.
 *
 * Source: Hu, Koren and Volinsky (2008), section 5, with the customer's own weighting left out.
 */
export function fitFactorSimilarity(
  customers: readonly IndexedCustomer[],
  itemCount: number,
  { popularityHalfLifeDays, ...als }: AlsOptions & { popularityHalfLifeDays: number | null },
): FactorSimilarity {
  const factors = fitAls(baskets(customers, 'all'), itemCount, als);
  const gram = gramOf(factors, als.rank);
  for (let f = 0; f < als.rank; f++)
    gram[f * als.rank + f] = (gram[f * als.rank + f] as number) + als.regularisation;
  const inverse = invertPositiveDefinite(gram, als.rank);
  const span = timeSpan(customers);
  const popularity = decayedPopularity(customers, itemCount, {
    asOf: span.to,
    halfLifeDays: popularityHalfLifeDays,
  });
  const rank = als.rank + 1;
  const similarity = {
    itemCount,
    rank,
    sources: new Float32Array((itemCount + 1) * rank),
    targets: new Float32Array(rank * itemCount),
  };
  let strongest = 0;
  for (let i = 0; i < itemCount; i++) {
    const own = factors.subarray(i * als.rank, (i + 1) * als.rank);
    strongest = Math.max(strongest, writeItem(similarity, i, { own, inverse }));
  }
  writePrior(similarity, popularity, strongest || 1);
  return similarity;
}

/** @returns the item's weight to itself */
function writeItem(
  { itemCount, rank, sources, targets }: FactorSimilarity,
  item: number,
  { own, inverse }: { own: Float64Array; inverse: Float64Array },
): number {
  let toItself = 0;
  for (let f = 0; f < own.length; f++) {
    let sum = 0;
    for (let g = 0; g < own.length; g++) sum += (inverse[f * own.length + g] as number) * (own[g] as number);
    sources[item * rank + f] = sum;
    targets[f * itemCount + item] = own[f] as number;
    toItself += sum * (own[f] as number);
  }
  return toItself;
}

function writePrior(
  { itemCount, rank, sources, targets }: FactorSimilarity,
  popularity: Float64Array,
  typical: number,
): void {
  let top = 0;
  for (const value of popularity) top = Math.max(top, value);
  sources[itemCount * rank + rank - 1] = 1;
  for (let j = 0; j < itemCount; j++)
    targets[(rank - 1) * itemCount + j] = ((popularity[j] ?? 0) / (top || 1)) * typical * PRIOR_SHARE;
}
