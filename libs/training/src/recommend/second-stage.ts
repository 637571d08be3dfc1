import type { Measured } from '@sextant/artefacts';
import { mean, pairedDifference, predictMargins, type TreeEnsemble } from '@sextant/learning';
import type { MatrixProduct } from '@sextant/learning/linear-algebra';
import {
  candidateColumns,
  type CandidateRows,
  candidateRows,
  type CandidateSource,
  type CandidateView,
  evaluable,
  evaluateRanking,
  fitBlend,
  fitItemModel,
  type IndexedCustomer,
  itemColumnsOf,
  relevantItems,
  type SplitCustomer,
} from '@sextant/learning/recommend';
import { lightGbmParameters, type LightGbmProcess, parseLightGbmModel } from '@sextant/lightgbm';
import { type MeasuredRecommender, metricsOf } from './measure-recommender.js';
import { splitBy, type SplitRule } from './split-rule.js';

export interface SecondStageOptions {
  lightGbm: LightGbmProcess;
  seed: number;
  split: SplitRule;
  itemCount: number;
  product: MatrixProduct;
  /** Cosine between items' contents, shape [itemCount, itemCount]; one more source of features. */
  content?: Float32Array;
}

/** LambdaRank over the first candidates of the served model. */
export interface SecondStage {
  /** Whether it ranks better than the first stage beyond noise, on customers that its trees did not see. */
  isBetter: boolean;
  validation: { firstStage: number; secondStage: number; difference: Measured };
  /** On the test part, as the first stage's. */
  metrics: Record<string, Measured>;
}

const CANDIDATES = 200;
const DEFAULT_RIDGE = 200;
const FOLDS = 5;
const ROUNDS = 150;
/** Under each of these every model scores the candidates: taste, mood, and what the customer does right now. */
const MEMORIES = [null, 20, 5] as const;
/** Beside the tuned models one that looks only a few steps ahead. */
const NEARBY = { model: 'next', reachItems: 5 } as const;

/**
 * Trains a ranker on what customers met on the inner split, validates it on customers held out of its training (5 folds), and measures
 * it on the test part with everything below it fitted again on the whole past.
 *
 * Source: Burges (2010), "From RankNet to LambdaRank to LambdaMART: an overview", MSR-TR-2010-82.
 */
export async function measureSecondStage(
  measured: MeasuredRecommender,
  options: SecondStageOptions,
): Promise<SecondStage> {
  const { seed, split, itemCount } = options;
  const { excludeHistory } = measured.choice;
  const inner = splitBy(measured.past, split, seed + 1);
  const learnView = await viewOf(
    inner.map(({ train }) => train),
    measured,
    options,
  );
  const learn = queriesOf(evaluable(inner), learnView, excludeHistory);
  const columns = candidateColumns(learnView);
  const train = (queries: readonly Query[]): Promise<TreeEnsemble> => trainRanker(queries, columns, options);
  const held: (Float64Array | undefined)[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const ensemble = await train(learn.filter((_, q) => q % FOLDS !== fold));
    learn.forEach((query, q) => {
      if (q % FOLDS === fold) held[q] = predictMargins(ensemble, query.rows, columns);
    });
  }
  const ranked = qualityOf(learn, held, itemCount);
  const first = qualityOf(
    learn,
    learn.map(({ items }) => descending(items.length)),
    itemCount,
  );
  const difference = pairedDifference(ranked.ndcgAt10, first.ndcgAt10, { seed });
  const test = queriesOf(measured.judged, await viewOf(measured.past, measured, options), excludeHistory);
  const final = await train(learn);
  const margins = test.map(({ rows }) => predictMargins(final, rows, columns));
  return {
    isBetter: difference.low > 0,
    validation: { firstStage: mean(first.ndcgAt10), secondStage: mean(ranked.ndcgAt10), difference },
    metrics: metricsOf(qualityOf(test, margins, itemCount), seed),
  };
}

interface Query extends CandidateRows {
  split: SplitCustomer;
}

/** The served blend first, then each tuned model alone under every memory. */
async function viewOf(
  past: readonly IndexedCustomer[],
  { choice }: MeasuredRecommender,
  { itemCount, product, content }: SecondStageOptions,
): Promise<CandidateView> {
  const { tauItems } = choice;
  const blend = await fitBlend(past, itemCount, { ...choice, product });
  const sources: CandidateSource[] = [{ weights: blend, tauItems }];
  const tuned = choice.validation.alone.map(({ setting }) => setting);
  const regularisation = tuned.find(({ model }) => model === 'next')?.regularisation ?? DEFAULT_RIDGE;
  for (const setting of [...tuned, { ...NEARBY, regularisation }]) {
    const weights = await fitItemModel(past, itemCount, setting, product);
    for (const memory of MEMORIES) sources.push({ weights, tauItems: memory });
  }
  if (content) for (const memory of MEMORIES) sources.push({ weights: content, tauItems: memory });
  return { itemCount, sources, itemColumns: itemColumnsOf(past, itemCount) };
}

function queriesOf(splits: readonly SplitCustomer[], view: CandidateView, excludeHistory: boolean): Query[] {
  return splits.map((split) => ({
    split,
    ...candidateRows(split.train, view, { first: CANDIDATES, excludeHistory }),
  }));
}

async function trainRanker(
  queries: readonly Query[],
  columns: number,
  { lightGbm, seed }: SecondStageOptions,
): Promise<TreeEnsemble> {
  const total = queries.reduce((sum, { items }) => sum + items.length, 0);
  const rows = new Float32Array(total * columns);
  const labels = new Float32Array(total);
  let at = 0;
  for (const { items, rows: own, split } of queries) {
    const relevant = new Set(relevantItems(split.test));
    rows.set(own, at * columns);
    items.forEach((item, i) => (labels[at + i] = relevant.has(item) ? 1 : 0));
    at += items.length;
  }
  const group = Int32Array.from(queries, ({ items }) => items.length);
  const parameters = lightGbmParameters({
    objective: 'lambdarank',
    seed,
    learningRate: 0.05,
    leaves: 7,
    minRowsPerLeaf: 50,
    columnShare: 0.5,
    rowShare: 0.7,
    l2: 10,
    threads: 1,
    rankAt: 17,
  });
  const request = { train: { rows, labels, group }, validation: null, columns, parameters };
  const { model } = await lightGbm.train({ ...request, rounds: ROUNDS, patience: ROUNDS });
  return parseLightGbmModel(model);
}

function qualityOf(
  queries: readonly Query[],
  margins: readonly (Float64Array | undefined)[],
  itemCount: number,
): ReturnType<typeof evaluateRanking> {
  const bySplit = new Map(queries.map((query, q) => [query.split, { query, margins: margins[q] }]));
  return evaluateRanking(
    queries.map(({ split }) => split),
    itemCount,
    {
      excludeHistory: false,
      score: (split, out) => {
        out.fill(Number.NaN);
        const own = bySplit.get(split);
        own?.query.items.forEach((item, i) => (out[item] = own.margins?.[i] ?? Number.NaN));
      },
    },
  );
}

function descending(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => -i);
}
