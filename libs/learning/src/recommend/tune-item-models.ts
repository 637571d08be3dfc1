import { mean } from '../metrics/probability.js';
import type { InnerSplit } from './inner-split.js';
import { fitItemModel, type ItemModel, type ItemModelSetting } from './item-models.js';
import { ndcgOfSum, scoreMatrix } from './score-matrix.js';

export interface TunedItemModel {
  setting: ItemModelSetting;
  /** On the inner split, with the memory that suits the first fit. */
  ndcgAt10: number;
}

const REGULARISATIONS = [6.25, 12.5, 25, 50, 100, 200, 400, 800, 1600, 3200, 6400];
const FIRST_STEP = 5;
const SHRINKAGES = [5, 20, 100];
const REACHES = [10, 30, 100];
/** Memories that the first fit is tried with; the best of them tunes all models, and the blends try more. */
const TAUS: readonly (number | null)[] = [null, 30, 8];

/** Each kind of model with the regularisation and reach that serve it best alone on the inner split. */
export async function tuneItemModels(
  inner: InnerSplit,
  onFit: ((fits: number) => void | Promise<void>) | undefined,
): Promise<TunedItemModel[]> {
  let fits = 0;
  let taus = TAUS;
  const attempt = async (setting: ItemModelSetting): Promise<TunedItemModel> => {
    const weights = await fitItemModel(inner.past, inner.itemCount, setting, inner.product);
    await onFit?.(++fits);
    const judged = taus.map((tauItems) => ({ tauItems, ndcgAt10: ndcgUnder(inner, weights, tauItems) }));
    const best = judged.reduce((top, one) => (one.ndcgAt10 > top.ndcgAt10 ? one : top));
    taus = [best.tauItems];
    return { setting, ndcgAt10: best.ndcgAt10 };
  };
  const ease = await climb(attempt, { model: 'ease', reachItems: null }, FIRST_STEP);
  const step = REGULARISATIONS.indexOf(ease.setting.regularisation);
  const tuned = [ease];
  if (inner.past.some(({ relevant }) => relevant.includes(0)))
    tuned.push(await climb(attempt, { model: 'ease-relevant', reachItems: null }, step));
  for (const model of ['ease-near', 'next'] as const) tuned.push(await tuneOrdered(attempt, model, step));
  const neighbours = [];
  for (const regularisation of SHRINKAGES)
    neighbours.push(await attempt({ model: 'item-knn', regularisation, reachItems: null }));
  return [...tuned, higher(neighbours)];
}

type Attempt = (setting: ItemModelSetting) => Promise<TunedItemModel>;

/** The reach first, at one regularisation, then the regularisation at that reach. */
async function tuneOrdered(attempt: Attempt, model: ItemModel, step: number): Promise<TunedItemModel> {
  const regularisation = REGULARISATIONS[step] ?? 200;
  const tried = [];
  for (const reachItems of REACHES) tried.push(await attempt({ model, regularisation, reachItems }));
  const best = higher(tried);
  return climb(attempt, best.setting, step, best);
}

/** Walks along the regularisations to the top of the hill, trying one step beyond in both directions. */
async function climb(
  attempt: Attempt,
  of: Pick<ItemModelSetting, 'model' | 'reachItems'>,
  start: number,
  known?: TunedItemModel,
): Promise<TunedItemModel> {
  let top = known ?? (await attempt({ ...of, regularisation: REGULARISATIONS[start] ?? 200 }));
  let at = start;
  for (const direction of [1, -1]) {
    if (direction === -1 && at !== start) break;
    for (;;) {
      const regularisation = REGULARISATIONS[at + direction];
      if (regularisation === undefined) break;
      const next = await attempt({ ...of, regularisation });
      if (next.ndcgAt10 <= top.ndcgAt10) break;
      [top, at] = [next, at + direction];
    }
  }
  return top;
}

function ndcgUnder(inner: InnerSplit, weights: Float32Array, tauItems: number | null): number {
  const { judged, itemCount, exclusions } = inner;
  const scores = [scoreMatrix(judged, itemCount, { weights, tauItems })];
  return Math.max(
    ...exclusions.map((excludeHistory) => mean(ndcgOfSum(judged, itemCount, { scores, excludeHistory }))),
  );
}

function higher(tried: readonly TunedItemModel[]): TunedItemModel {
  return tried.reduce((top, one) => (one.ndcgAt10 > top.ndcgAt10 ? one : top));
}
