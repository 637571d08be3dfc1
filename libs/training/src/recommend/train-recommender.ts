import { setImmediate } from 'node:timers/promises';
import {
  type CustomerInteractions,
  fitRecommender,
  type IndexedInteractions,
  indexInteractions,
  type ItemSimilarity,
} from '@sextant/learning/recommend';
import { openMatrixProduct } from '../runtime/index.js';
import { measureRecommender, type MeasuredRecommender } from './measure-recommender.js';
import { LAST_FIFTH } from './split-rule.js';

export interface RecommenderTrainingOptions {
  seed: number;
  /** Share of the work done, in [0, 1], and what comes next; awaited. */
  onProgress?: (share: number, step: string) => void | Promise<void>;
  /** Most items of a model, by interactions; {@link MAX_ITEMS} when absent. */
  maxItems?: number;
  /** Most items for a dense matrix; a larger catalogue gets factors. As measured when absent. */
  denseItems?: number;
}

export interface TrainedRecommender {
  data: IndexedInteractions;
  measured: MeasuredRecommender;
  /** Fitted on all interactions. */
  similarity: ItemSimilarity;
}

/** A history row of the served model has as many columns; the least met items beyond are left out. */
export const MAX_ITEMS = 100_000;
/** Tuning each model rarely takes more fits than this. */
const TYPICAL_FITS = 24;

/**
 * Trains the recommender that is served: everything is chosen on an inner split of each customer's past, measured on the last fifth
 * that the choice never saw, and then fitted on all interactions. Equal rows and seed give equal weights.
 *
 * @throws DomainError DATA_INSUFFICIENT without any interaction
 */
export async function trainRecommender(
  customers: Iterable<CustomerInteractions> | AsyncIterable<CustomerInteractions>,
  options: RecommenderTrainingOptions,
): Promise<TrainedRecommender> {
  const progress = reporter(options.onProgress);
  await progress(0, 'reading interactions');
  const data = await indexInteractions(customers, options.maxItems ?? MAX_ITEMS);
  const { product, release } = await openMatrixProduct();
  try {
    const measured = await measureRecommender(data, {
      seed: options.seed,
      split: LAST_FIFTH,
      product,
      ...(options.denseItems === undefined ? {} : { denseItems: options.denseItems }),
      onCandidate: (fits) =>
        progress(Math.min(0.8, (0.8 * fits) / TYPICAL_FITS), `choosing among recommenders (${fits} fitted)`),
    });
    await progress(0.9, 'fitting on all interactions');
    const similarity = await fitRecommender(data.customers, data.items.length, measured.choice, product);
    await progress(1, 'recommender trained');
    return { data, measured, similarity };
  } finally {
    await release();
  }
}

/** Tells how far the work is, and lets the process answer others before it goes on. */
function reporter(onProgress: RecommenderTrainingOptions['onProgress']) {
  return async (share: number, step: string): Promise<void> => {
    await onProgress?.(share, step);
    await setImmediate();
  };
}
