import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  type CustomerInteractions,
  type IndexedInteractions,
  indexInteractions,
} from '@sextant/learning/recommend';
import { LightGbmProcess } from '@sextant/lightgbm';
import type { EvaluationReport, Plot } from '../evaluation/index.js';
import { openMatrixProduct } from '../runtime/index.js';
import { describeRecommender, reasonOfChoice } from './describe-recommender.js';
import { measureRecommender, type MeasuredRecommender } from './measure-recommender.js';
import { measureSecondStage, type SecondStage, type SecondStageOptions } from './second-stage.js';
import type { SplitRule } from './split-rule.js';
import { MAX_ITEMS } from './train-recommender.js';

export interface RecommendEvaluation {
  customers: readonly CustomerInteractions[];
  /** Interactions read. */
  rows: number;
  split: SplitRule;
  /** How many random splits are averaged; 1 for the last share. */
  splits: number;
  seed: number;
  /** Words about each item by its id, also of items that nobody met yet. */
  words?: ReadonlyMap<string, readonly string[]>;
  /** Path of LightGBM's library; null leaves the second stage out, as more than one split does. */
  lightGbm: string | null;
}

/** Fewer customers cannot teach trees what a good order is. */
const FEWEST_TO_RANK = 50;
const PROTOCOL =
  'every item outside the customer’s training part is a candidate; relevant are the interactions of the test part that count for an item; customers without one are left out';

/**
 * Top-N recommendation on interactions that no choice has seen. All items that the customer did not meet in training are candidates;
 * customers without a relevant interaction in test are left out.
 *
 * @throws DomainError DATA_INSUFFICIENT when nobody can be judged
 */
export async function evaluateRecommend(input: RecommendEvaluation): Promise<EvaluationReport> {
  const data = await indexInteractions(input.customers, MAX_ITEMS, input.words?.keys());
  const words = input.words && data.items.map((item) => input.words?.get(item) ?? []);
  const { product, release } = await openMatrixProduct();
  try {
    const measured: MeasuredRecommender[] = [];
    for (let s = 0; s < input.splits; s++) {
      const seed = input.seed + 1000 * s;
      const options = { seed, split: input.split, product, ...(words ? { words } : {}) };
      measured.push(await measureRecommender(data, options));
    }
    const [only] = measured;
    const secondStage =
      only && only.customers > 0 && input.splits === 1
        ? await secondStageOf(only, input, { itemCount: data.items.length, product })
        : null;
    return reportOf(input, data, { measured, secondStage });
  } finally {
    await release();
  }
}

function reportOf(
  { rows, split, splits }: RecommendEvaluation,
  data: IndexedInteractions,
  { measured, secondStage }: { measured: readonly MeasuredRecommender[]; secondStage: SecondStage | null },
): EvaluationReport {
  const [first] = measured;
  if (!first || first.customers === 0) {
    throw new DomainError(
      'DATA_INSUFFICIENT',
      `none of ${data.customers.length} customers has a relevant interaction in test: choose a larger share or give more data`,
    );
  }
  const metrics = averaged(measured.map((one) => one.metrics));
  const figures = { metrics, baselines: baselinesOf(measured) };
  return {
    task: 'recommend',
    rows,
    test: first.customers,
    chosen: describeRecommender(first.choice),
    because: reasonOfChoice(first.choice),
    ...figures,
    leaks: [],
    warnings: warningsOf(first, data.droppedItems, figures),
    details: {
      customers: data.customers.length,
      items: data.items.length,
      split,
      splits,
      ...detailsOf(measured),
      secondStage,
    },
    plots: [comparison(figures)],
  };
}

function detailsOf(measured: readonly MeasuredRecommender[]): Record<string, unknown> {
  const lent = measured[0]?.lent;
  return {
    chosenBySplit: measured.map(({ choice }) => choice.als ?? choice.components),
    tauItems: measured.map(({ choice }) => choice.tauItems),
    ndcgBySplit: measured.map((one) => one.metrics['ndcg@10']?.value),
    content: lent ? { share: lent.share, without: lent.without, with: lent.withShare } : null,
    protocol: PROTOCOL,
  };
}

/** Null where there is no LightGBM, or nobody to learn from. */
async function secondStageOf(
  measured: MeasuredRecommender,
  { lightGbm, seed, split }: RecommendEvaluation,
  rest: Pick<SecondStageOptions, 'itemCount' | 'product'>,
): Promise<SecondStage | null> {
  const { validation, als } = measured.choice;
  if (lightGbm === null || als !== null || validation.customers < FEWEST_TO_RANK) return null;
  const opened = await LightGbmProcess.open(lightGbm);
  try {
    const content = measured.lent ? { content: measured.lent.content } : {};
    return await measureSecondStage(measured, { lightGbm: opened, seed, split, ...rest, ...content });
  } finally {
    await opened.close();
  }
}

interface Figures {
  metrics: Record<string, Measured>;
  baselines: Record<string, Record<string, Measured>>;
}

/** Mean over splits of value and interval: the splits share their customers, so more splits do not narrow the interval. */
function averaged(all: readonly Record<string, Measured>[]): Record<string, Measured> {
  const mean = (name: string, key: 'value' | 'low' | 'high'): number =>
    all.reduce((sum, one) => sum + (one[name]?.[key] ?? Number.NaN), 0) / all.length;
  return Object.fromEntries(
    Object.entries(all[0] ?? {}).map(([name, { level }]) => [
      name,
      { value: mean(name, 'value'), low: mean(name, 'low'), high: mean(name, 'high'), level },
    ]),
  );
}

function baselinesOf(measured: readonly MeasuredRecommender[]): Figures['baselines'] {
  const names = Object.keys(measured[0]?.baselines ?? {});
  return Object.fromEntries(
    names.map((name) => [name, averaged(measured.map(({ baselines }) => baselines[name] ?? {}))]),
  );
}

export function warningsOf(
  { customers }: Pick<MeasuredRecommender, 'customers'>,
  droppedItems: number,
  { metrics, baselines }: Figures,
): string[] {
  const warnings: string[] = [];
  if (droppedItems > 0) warnings.push(`${droppedItems} of the least met items are left out of the model.`);
  if (customers < 100) warnings.push(`Only ${customers} customers could be judged: the metrics say little.`);
  const [model, popularity] = [metrics['ndcg@10'], baselines['popularity']?.['ndcg@10']];
  if (model && popularity && model.value <= popularity.value)
    warnings.push('On later interactions it was no better than ranking everyone by popularity.');
  return warnings;
}

function comparison({ metrics, baselines }: Figures): Plot {
  const bars = (of: Record<string, Measured>): [string, number][] =>
    Object.entries(of).map(([name, { value }]) => [name, value]);
  return {
    title: 'Ranking of later interactions, beside simpler rules',
    kind: 'bar',
    x: 'metric',
    y: 'value',
    series: [
      { name: 'chosen', points: bars(metrics) },
      ...Object.entries(baselines).map(([name, of]) => ({ name, points: bars(of) })),
    ],
  };
}
