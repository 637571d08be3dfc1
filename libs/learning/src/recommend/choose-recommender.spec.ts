import { describe, expect, it } from 'vitest';
import { randomInteger, seededRandom } from '../random/seeded-random.js';
import { chooseRecommender, fitRecommender, recommenderScore } from './choose-recommender.js';
import { scoreItems } from './ease.js';
import { weighHistory } from './history-weights.js';
import { type CustomerInteractions, indexInteractions, splitLater, splitRandom } from './interactions.js';
import { decayedPopularity, halfLivesFor } from './popularity.js';
import { rankSlate } from './rank-slate.js';

const DAY_MS = 86_400_000;

/** Customers of two tastes who walk through 20 items of their taste; `repeating` ones come back to what they know. */
function twoTastes(customers: number, repeating: boolean): CustomerInteractions[] {
  const random = seededRandom(9);
  return Array.from({ length: customers }, (_, c) => ({
    customerId: `c${c}`,
    interactions: Array.from({ length: 12 }, (_, k) => ({
      itemId: `i${(c % 2) * 20 + (repeating ? randomInteger(random, 3) + (c % 7) : randomInteger(random, 20))}`,
      at: (c + k) * DAY_MS,
    })),
  }));
}

describe('indexInteractions', () => {
  it('orders a customer by time, keeps ties as given, and numbers items by id', async () => {
    const interactions = [
      { itemId: 'b', at: 5 },
      { itemId: 'a', at: 5, relevant: false },
      { itemId: 'c', at: 1 },
    ];
    const { items, customers } = await indexInteractions([{ customerId: 'x', interactions }], 10);
    expect(items).toEqual(['a', 'b', 'c']);
    expect([...(customers[0]?.items ?? [])]).toEqual([2, 1, 0]);
    expect([...(customers[0]?.relevant ?? [])]).toEqual([1, 1, 0]);
  });

  it('drops the least met items beyond the limit and says how many', async () => {
    const interactions = ['a', 'b', 'b', 'c', 'c'].map((itemId, at) => ({ itemId, at }));
    const indexed = await indexInteractions([{ customerId: 'x', interactions }], 2);
    expect([indexed.items, indexed.droppedItems, indexed.interactionCount]).toEqual([['b', 'c'], 1, 4]);
  });

  it('refuses no interactions and times that are no numbers', async () => {
    await expect(indexInteractions([], 5)).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT' });
    const broken = [{ customerId: 'x', interactions: [{ itemId: 'a', at: Number.NaN }] }];
    await expect(indexInteractions(broken, 5)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('splitLater', () => {
  it('holds out the last part, rounded up, and leaves a single interaction in train', async () => {
    const of = (n: number): CustomerInteractions => ({
      customerId: String(n),
      interactions: Array.from({ length: n }, (_, at) => ({ itemId: `i${at}`, at })),
    });
    const { customers } = await indexInteractions([of(1), of(2), of(6)], 10);
    const sizes = splitLater(customers, 0.2).map(({ train, test }) => [
      train.items.length,
      test.items.length,
    ]);
    expect(sizes).toEqual([
      [1, 0],
      [1, 1],
      [4, 2],
    ]);
  });
});

describe('splitRandom', () => {
  it('holds out the rounded share of each customer, keeps the order, and repeats itself for a seed', async () => {
    const { customers } = await indexInteractions(twoTastes(10, false), 100);
    const splits = splitRandom(customers, 0.25, seededRandom(3));
    expect(splits.map(({ train, test }) => [train.items.length, test.items.length])).toEqual(
      splits.map(() => [9, 3]),
    );
    for (const { train } of splits) expect([...train.at]).toEqual([...train.at].sort((a, b) => a - b));
    expect(splitRandom(customers, 0.25, seededRandom(3))).toEqual(splits);
    expect(splitRandom(customers, 0.25, seededRandom(4))).not.toEqual(splits);
  });
});

describe('decayedPopularity', () => {
  it('halves a meeting every half-life and leaves out what was not relevant', async () => {
    const interactions = [
      { itemId: 'a', at: 0 },
      { itemId: 'b', at: 10 * DAY_MS },
      { itemId: 'b', at: 10 * DAY_MS, relevant: false },
    ];
    const { customers } = await indexInteractions([{ customerId: 'x', interactions }], 5);
    expect([...decayedPopularity(customers, 2, { asOf: 10 * DAY_MS, halfLifeDays: 5 })]).toEqual([0.25, 1]);
    expect([...decayedPopularity(customers, 2, { asOf: 10 * DAY_MS, halfLifeDays: null })]).toEqual([1, 1]);
    expect(halfLivesFor({ from: 0, to: 0 })).toEqual([null]);
  });
});

describe('chooseRecommender', () => {
  it('repeats itself for a seed and beats popularity where tastes differ', async () => {
    const { items, customers } = await indexInteractions(twoTastes(60, false), 100);
    const options = { itemCount: items.length, seed: 1 };
    const choice = await chooseRecommender(customers, options);
    expect(await chooseRecommender(customers, options)).toEqual(choice);
    expect(choice.validation.ndcgAt10).toBeGreaterThan(choice.validation.popularityNdcgAt10 * 1.2);
  });

  it('shows known items again where customers come back to them', async () => {
    const { items, customers } = await indexInteractions(twoTastes(60, true), 100);
    expect((await chooseRecommender(customers, { itemCount: items.length, seed: 1 })).excludeHistory).toBe(
      false,
    );
  });

  it('falls back to its defaults where nobody has a later interaction', async () => {
    const single = Array.from({ length: 5 }, (_, c) => ({
      customerId: `c${c}`,
      interactions: [{ itemId: `i${c}`, at: c }],
    }));
    const { items, customers } = await indexInteractions(single, 100);
    const choice = await chooseRecommender(customers, { itemCount: items.length, seed: 1 });
    expect(choice).toMatchObject({
      components: [{ model: 'ease', regularisation: 200, reachItems: null }],
      tauItems: null,
      excludeHistory: true,
      validation: { customers: 0 },
    });
  });
});

describe('a catalogue too large for a dense matrix', () => {
  it('gets ALS factors, which beat popularity where tastes differ', async () => {
    const { items, customers } = await indexInteractions(twoTastes(60, false), 100);
    const options = { itemCount: items.length, seed: 1, denseItems: 10 };
    const choice = await chooseRecommender(customers, options);
    expect(choice).toMatchObject({ components: [], als: { rank: 64, seed: 1 } });
    expect(choice.validation.ndcgAt10).toBeGreaterThan(choice.validation.popularityNdcgAt10);
    const fitted = await fitRecommender(customers, items.length, choice);
    expect(fitted).toMatchObject({ rank: 65, itemCount: items.length });
  });
});

describe('fitRecommender', () => {
  it('is popularity alone where no model is chosen, and ranks everyone by it', async () => {
    const { items, customers } = await indexInteractions(twoTastes(30, false), 100);
    const fitted = await fitRecommender(customers, items.length, {
      components: [],
      als: null,
      popularityHalfLifeDays: null,
    });
    const popularity = decayedPopularity(customers, items.length, { asOf: 0, halfLifeDays: null });
    const scores = new Float64Array(items.length);
    const [anybody] = splitLater(customers, 0.2);
    if (anybody) recommenderScore(fitted, null)(anybody, scores);
    expect(rankSlate(scores, { first: 5 })).toEqual(rankSlate(popularity, { first: 5 }));
  });

  it('ranks a cold customer exactly as popularity does, whatever was chosen', async () => {
    const { items, customers } = await indexInteractions(twoTastes(30, false), 100);
    const components = [
      { model: 'ease', regularisation: 10, reachItems: null },
      { model: 'next', regularisation: 10, reachItems: 5 },
    ] as const;
    const choice = { components: [...components], als: null, popularityHalfLifeDays: null };
    const fitted = await fitRecommender(customers, items.length, choice);
    const popularity = decayedPopularity(customers, items.length, { asOf: 0, halfLifeDays: null });
    const scores = new Float64Array(items.length);
    scoreItems(fitted, weighHistory([], null), scores);
    expect(rankSlate(scores, { first: 20 })).toEqual(rankSlate(popularity, { first: 20 }));
  });
});
