import { mean, seededRandom } from '@sextant/learning';
import {
  type CustomerInteractions,
  evaluateRanking,
  evaluable,
  fitRecommender,
  indexInteractions,
  recommenderScore,
  relevantItems,
  type SplitCustomer,
} from '@sextant/learning/recommend';
import { multiply } from '@sextant/learning/linear-algebra';
import { describe, expect, it } from 'vitest';
import { measureRecommender } from './measure-recommender.js';
import { LAST_FIFTH, splitBy } from './split-rule.js';

const KINDS = ['lamps', 'chairs', 'desks', 'shelves'];

/** Customers of four tastes; every fifth of their time ten new items of each kind appear, and half of what they meet is new. */
function company(customers: number): CustomerInteractions[] {
  const random = seededRandom(11);
  return Array.from({ length: customers }, (_, c) => ({
    customerId: `c${c}`,
    interactions: Array.from({ length: 15 }, (_, k) => {
      const season = random() < 0.5 ? Math.floor(k / 3) : Math.floor((random() * k) / 3);
      const itemId = `${KINDS[c % 4]}-${season}-${Math.floor(10 * random())}`;
      return { itemId, at: k * 86_400_000 };
    }),
  }));
}

/** Only customers who met a new item later, and only such items as what they met. */
function newItemsOnly(splits: readonly SplitCustomer[]): SplitCustomer[] {
  const known = new Set(splits.flatMap(({ train }) => [...train.items]));
  return splits
    .map(({ train, test }) => ({
      train,
      test: { ...test, relevant: test.relevant.map((own, i) => (known.has(test.items[i] ?? -1) ? 0 : own)) },
    }))
    .filter(({ test }) => relevantItems(test).length > 0);
}

describe('cold start', async () => {
  const data = await indexInteractions(company(160), 1000);
  const itemCount = data.items.length;
  const words = data.items.map((item) => [item.split('-')[0] ?? '']);
  const options = { seed: 3, split: LAST_FIFTH, product: multiply };
  const measured = await measureRecommender(data, { ...options, words });
  const splits = splitBy(data.customers, LAST_FIFTH, 3);
  const past = splits.map(({ train }) => train);

  it('ranks new items by what they are about, where popularity has nothing to say', () => {
    expect(measured.lent?.share).toBeGreaterThan(0);
    const judged = newItemsOnly(splits);
    expect(judged.length).toBeGreaterThan(50);
    const score = recommenderScore(measured.similarity, measured.choice.tauItems);
    const byContent = evaluateRanking(judged, itemCount, { excludeHistory: true, score });
    const met = new Float64Array(itemCount);
    for (const { items } of past) for (const item of items) met[item] = (met[item] ?? 0) + 1;
    const byPopularity = evaluateRanking(judged, itemCount, {
      excludeHistory: true,
      score: (_, out) => out.set(met),
    });
    expect(mean(byContent.recallAt20)).toBeGreaterThan(mean(byPopularity.recallAt20));
    expect(mean(byContent.ndcgAt10)).toBeGreaterThanOrEqual(mean(byPopularity.ndcgAt10));
  });

  it('is never worse on the inner split with content than without, nor than popularity', () => {
    expect(measured.lent?.withShare).toBeGreaterThanOrEqual(measured.lent?.without ?? 1);
    const { ndcgAt10, popularityNdcgAt10 } = measured.choice.validation;
    expect(ndcgAt10).toBeGreaterThanOrEqual(popularityNdcgAt10);
  });

  it('chooses popularity where nothing else is to be learned', async () => {
    const random = seededRandom(6);
    const noise = Array.from({ length: 80 }, (_, c) => ({
      customerId: `c${c}`,
      interactions: Array.from({ length: 6 }, (_, at) => ({
        itemId: `i${Math.floor(30 * random() ** 3)}-${c % 2 === 0 || random() < 0.9 ? 'a' : 'b'}`,
        at,
      })),
    }));
    const indexed = await indexInteractions(noise, 1000);
    const { choice, customers } = await measureRecommender(indexed, options);
    expect(customers).toBeGreaterThan(50);
    expect(choice.validation.ndcgAt10).toBeGreaterThanOrEqual(choice.validation.popularityNdcgAt10);
  });

  it('serves a customer without history exactly as popularity does', async () => {
    const fitted = await fitRecommender(past, itemCount, measured.choice);
    const [anybody] = evaluable(splits);
    if (!anybody) throw new Error('nobody can be judged');
    const cold = {
      ...anybody,
      train: { ...anybody.train, items: new Uint32Array(0), relevant: new Uint8Array(0) },
    };
    const quality = evaluateRanking([cold], itemCount, {
      excludeHistory: true,
      score: recommenderScore(fitted, 5),
    });
    const prior = await fitRecommender(past, itemCount, { ...measured.choice, components: [] });
    const policy = { excludeHistory: true, score: recommenderScore(prior, null) };
    expect(quality).toEqual(evaluateRanking([cold], itemCount, policy));
  });
});
