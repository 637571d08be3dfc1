import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { seededRandom } from '@sextant/learning';
import type { CustomerInteractions } from '@sextant/learning/recommend';
import { describe, expect, it } from 'vitest';
import { evaluateRecommend } from './evaluate-recommend.js';
import { parseSplitRule } from './split-rule.js';

const lightGbm = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch((error: Error) => {
  process.stdout.write(`skipped: second stage (${error.message.split('\n')[0]})\n`);
  return null;
});

/** Four tastes of ten items each; one interaction in ten goes astray. */
function company(customers: number): CustomerInteractions[] {
  const random = seededRandom(5);
  return Array.from({ length: customers }, (_, c) => ({
    customerId: `c${c}`,
    interactions: Array.from({ length: 15 }, (_, k) => {
      const taste = random() < 0.1 ? Math.floor(random() * 4) : c % 4;
      return { itemId: `i${taste * 10 + Math.floor(10 * random() ** 2)}`, at: k * 86_400_000 };
    }),
  }));
}

const input = (customers: CustomerInteractions[]) => ({
  customers,
  rows: customers.length * 15,
  split: parseSplitRule('last:0.2'),
  splits: 1,
  seed: 2,
  lightGbm: null,
});

describe('evaluateRecommend', () => {
  it('beats popularity where tastes differ, repeats itself for a seed, and says what it chose', async () => {
    const report = await evaluateRecommend(input(company(120)));
    expect(await evaluateRecommend(input(company(120)))).toEqual(report);
    expect(report.metrics['ndcg@10']?.value).toBeGreaterThan(
      1.2 * (report.baselines['popularity']?.['ndcg@10']?.value ?? 1),
    );
    expect(Object.keys(report.metrics)).toEqual(['ndcg@10', 'recall@20', 'hr@20', 'mrr@20', 'coverage@10']);
    expect(report.because).toContain('by popularity');
    expect(report.details['secondStage']).toBeNull();
  });

  it('averages random splits, each chosen for on its own', async () => {
    const split = parseSplitRule('random:0.25');
    const report = await evaluateRecommend({ ...input(company(60)), split, splits: 2 });
    const each = report.details['ndcgBySplit'] as number[];
    expect(each).toHaveLength(2);
    expect(each[0]).not.toBe(each[1]);
    expect(report.metrics['ndcg@10']?.value).toBeCloseTo(((each[0] ?? 0) + (each[1] ?? 0)) / 2, 12);
  });

  it('refuses data in which nobody can be judged', async () => {
    const single = [{ customerId: 'a', interactions: [{ itemId: 'x', at: 0 }] }];
    await expect(evaluateRecommend(input(single))).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT' });
  });

  it.each(['last', 'last:0', 'last:1', 'first:0.2', 'random:1.5', ''])('refuses the split "%s"', (text) => {
    expect(() => parseSplitRule(text)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});

describe.skipIf(lightGbm === null)('the second stage', () => {
  it('is validated on customers that its trees did not see, and measured as the first stage is', async () => {
    const { details } = await evaluateRecommend({ ...input(company(120)), lightGbm });
    expect(details['secondStage']).toMatchObject({
      isBetter: expect.any(Boolean),
      validation: { firstStage: expect.any(Number), difference: { low: expect.any(Number) } },
      metrics: { 'ndcg@10': { value: expect.any(Number) } },
    });
    const { metrics } = details['secondStage'] as { metrics: Record<string, { value: number }> };
    expect(metrics['ndcg@10']?.value).toBeGreaterThan(0.1);
  });
});
