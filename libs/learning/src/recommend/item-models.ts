import { invertByBlocks } from '../linear-algebra/blocked-inverse.js';
import { type MatrixProduct, multiply } from '../linear-algebra/matrix-product.js';
import { easeWeights } from './ease.js';
import { type IndexedCustomer, relevantItems } from './interactions.js';
import { coOccurrence, nearCounts, nextCounts } from './pair-counts.js';

/**
 * Ways from interactions to weights between items:
 * - `ease`: EASE on who met which items; `ease-relevant`: on what they met with relevance only;
 * - `ease-near`: EASE on co-occurrence by nearness in the customer's sequence;
 * - `next`: ridge regression of what comes next on what came before;
 * - `item-knn`: cosine of co-occurrence with shrinkage.
 */
export type ItemModel = 'ease' | 'ease-relevant' | 'ease-near' | 'next' | 'item-knn';

export interface ItemModelSetting {
  model: ItemModel;
  /** λ of the ridge; for `item-knn` the shrinkage in customers. Positive. */
  regularisation: number;
  /** Positions of a sequence after which a pair's weight has fallen to 1/e; null where order does not count. */
  reachItems: number | null;
}

/** Only so many of a customer's newest interactions make pairs in sequence: a script that orders all day is no pattern. */
const MAX_SEQUENCE = 1000;

/**
 * Fits one model. The weights are scaled so that the mean length of the rows that hold any is 1: models of different kinds are then
 * comparable, and a blend is a plain mean.
 *
 * @returns  row-major, shape [itemCount, itemCount]: row i holds the weights from item i to every item
 *
 * Source of `next`: the transition model of Choi, Kim, Lee, Shim and Lee (2021), "Session-aware linear item-item models for
 * session-based recommendation", WWW, with one exponential window on both sides of every position, where both sums have a closed form
 * over pairs; of `item-knn`: Deshpande and Karypis (2004), "Item-based top-N recommendation algorithms", ACM TOIS 22(1), with the
 * shrinkage of Koren (2008), "Factorization meets the neighborhood", KDD.
 */
export async function fitItemModel(
  customers: readonly IndexedCustomer[],
  itemCount: number,
  setting: ItemModelSetting,
  product: MatrixProduct = multiply,
): Promise<Float32Array> {
  const weights = await rawWeights(customers, itemCount, { setting, product });
  scaleRows(weights, itemCount);
  return weights;
}

async function rawWeights(
  customers: readonly IndexedCustomer[],
  itemCount: number,
  { setting, product }: { setting: ItemModelSetting; product: MatrixProduct },
): Promise<Float32Array> {
  const { model, regularisation, reachItems } = setting;
  const reach = reachItems ?? 1;
  switch (model) {
    case 'ease':
      return easeWeights(coOccurrence(baskets(customers, 'all'), itemCount), itemCount, {
        lambda: regularisation,
        product,
      });
    case 'ease-relevant':
      return easeWeights(coOccurrence(baskets(customers, 'relevant'), itemCount), itemCount, {
        lambda: regularisation,
        product,
      });
    case 'ease-near':
      return easeWeights(nearCounts(sequences(customers), itemCount, reach), itemCount, {
        lambda: regularisation,
        product,
      });
    case 'next':
      return nextWeights(sequences(customers), itemCount, { reach, lambda: regularisation, product });
    case 'item-knn':
      return cosineWeights(coOccurrence(baskets(customers, 'all'), itemCount), itemCount, regularisation);
  }
}

/** Distinct items of each customer. */
export function baskets(customers: readonly IndexedCustomer[], of: 'all' | 'relevant'): Uint32Array[] {
  return customers.map((customer) =>
    Uint32Array.from(new Set(of === 'all' ? customer.items : relevantItems(customer))),
  );
}

function sequences(customers: readonly IndexedCustomer[]): Uint32Array[] {
  return customers.map(({ items }) => items.subarray(-MAX_SEQUENCE));
}

/** B = (K + λI)⁻¹·N with K the counts by nearness and N what came next. */
async function nextWeights(
  ordered: readonly Uint32Array[],
  n: number,
  { reach, lambda, product }: { reach: number; lambda: number; product: MatrixProduct },
): Promise<Float32Array> {
  const near = nearCounts(ordered, n, reach);
  for (let i = 0; i < n; i++) near[i * n + i] = (near[i * n + i] as number) + lambda;
  const inverse = { values: await invertByBlocks(near, n, product), rows: n, columns: n };
  const next = { values: nextCounts(ordered, n, reach), rows: n, columns: n };
  return Float32Array.from((await product(inverse, next)).values);
}

/** c / √(cᵢcⱼ) · c / (c + shrinkage), 0 on the diagonal and between items that nobody had both. */
function cosineWeights(counts: Float64Array, n: number, shrinkage: number): Float32Array {
  const weights = new Float32Array(n * n);
  const lengths = Float64Array.from({ length: n }, (_, i) => Math.sqrt(counts[i * n + i] as number));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const both = counts[i * n + j] as number;
      if (both === 0) continue;
      const cosine = both / ((lengths[i] as number) * (lengths[j] as number));
      const weight = (cosine * both) / (both + shrinkage);
      weights[i * n + j] = weight;
      weights[j * n + i] = weight;
    }
  }
  return weights;
}

function scaleRows(weights: Float32Array, n: number): void {
  let [sum, rows] = [0, 0];
  for (let i = 0; i < n; i++) {
    let squares = 0;
    for (let j = 0; j < n; j++) squares += (weights[i * n + j] as number) ** 2;
    sum += Math.sqrt(squares);
    if (squares > 0) rows++;
  }
  if (rows === 0) return;
  const scale = rows / sum;
  for (let at = 0; at < weights.length; at++) weights[at] = (weights[at] as number) * scale;
}
