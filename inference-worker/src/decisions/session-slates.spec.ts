import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRepository, publishSession, type TestRepository } from '../testing/test-models.js';
import { startTestWorker, type TestWorker } from '../testing/test-worker.js';

const within = { deadlineMs: 5_000 };
let repository: TestRepository;
let worker: TestWorker;

beforeAll(async () => {
  repository = await aRepository();
  // a leads to b (½) and c (¼), b to c (½); d is met from nowhere.
  const transitions = Float32Array.from([0, 0.5, 0.25, 0, 0, 0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  await publishSession(repository.directory, {
    items: ['a', 'b', 'c', 'd'],
    transitions,
    repeats: [0.125, 0.375],
  });
  worker = await startTestWorker(repository.directory.root);
});
afterAll(async () => {
  await worker.stop();
  await repository.remove();
});

describe('Recommend with a session model', () => {
  it('adds what the viewed items lead to and what coming back to them scores', async () => {
    const { slates } = await worker.client.recommend(
      { model: 'demo.session', rows: [{ history: ['a', 'unheard-of', 'b'], first: 3 }], reasonsPerItem: 3 },
      within,
    );

    // Sources: b ⅔, a ⅓. c = ⅔·½ + ⅓·¼; a = 0.375 for coming back; b = 0.125 + ⅓·½.
    const [first, second, third] = slates[0]?.items ?? [];
    expect([first?.item, second?.item, third?.item]).toEqual(['c', 'a', 'b']);
    expect(first?.score).toBeCloseTo(5 / 12, 6);
    expect(second?.score).toBeCloseTo(0.375, 6);
    expect(third?.score).toBeCloseTo(0.125 + 1 / 6, 6);
    expect(first?.reasons.map(({ becauseOf }) => becauseOf)).toEqual(['b', 'a']);
    expect(third?.reasons[0]?.contribution).toBeCloseTo(1 / 6, 6);
    expect(third?.residual).toBeCloseTo(0, 6);
    expect(slates[0]?.historyUsed).toBe(2);
  });

  it('leaves out what the caller excludes, and answers an empty session', async () => {
    const { slates } = await worker.client.recommend(
      {
        model: 'demo.session',
        rows: [
          { history: ['a', 'b'], exclude: ['b'], first: 4 },
          { history: [], first: 2 },
        ],
      },
      within,
    );
    expect(slates[0]?.items.map(({ item }) => item)).toEqual(['c', 'a', 'd']);
    expect(slates[1]?.items).toHaveLength(2);
  });
});
