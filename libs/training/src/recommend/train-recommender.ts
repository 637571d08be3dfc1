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
  /** Most items of a model, by interactions; {@link DENSE_ITEMS} when absent. */
  maxItems?: number;
}

export interface TrainedRecommender {
  data: IndexedInteractions;
  measured: MeasuredRecommender;
  /** Fitted on all interactions. */
  similarity: ItemSimilarity;
}

export const DENSE_ITEMS = 5000;
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
  const data = await indexInteractions(customers, options.maxItems ?? DENSE_ITEMS);
  const { product, release } = await openMatrixProduct();
  try {
    const measured = await measureRecommender(data, {
      seed: options.seed,
      split: LAST_FIFTH,
      product,
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
