import { seededRandom } from '@sextant/learning';
import type { Session } from '@sextant/learning/session';
import { describe, expect, it } from 'vitest';
import { evaluateSessionData } from './evaluate-session-data.js';
import { trainSessionModel } from './train-session-model.js';

/** Visitors who walk along one of ten chains of items and sometimes come back to the item before. */
function walks(count: number, seed: number): Session[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const chain = Math.floor(random() * 10);
    const items: string[] = [`p${chain}-0`];
    for (let step = 1; step < 5; step++) {
      items.push(random() < 0.2 ? (items.at(-2) ?? items[0] ?? '') : `p${chain}-${step}`);
    }
    return { items, endedAt: i * 1000 };
  });
}

describe('evaluateSessionData', () => {
  it('beats popularity, repeats alone and transitions alone where people do both', async () => {
    const sessions = walks(400, 3);
    const report = await evaluateSessionData({ sessions, rows: 2000, testAfter: 319_000, seed: 1 });
    const mrr = (of: typeof report.metrics | undefined): number => of?.['mrr@20']?.value ?? 0;
    expect(report.details['testSessions']).toBe(80);
    expect(report.test).toBe(320);
    for (const baseline of Object.values(report.baselines)) {
      expect(mrr(report.metrics)).toBeGreaterThan(mrr(baseline));
    }
    expect(report.warnings).toEqual([]);
  });

  it('refuses a test of unknown items, and says how many later views are unknown', async () => {
    const known = walks(100, 1);
    const strange = [{ items: ['x', 'y'], endedAt: 1e9 }];
    const ask = evaluateSessionData({ sessions: [...known, ...strange], rows: 502, testAfter: 1e8, seed: 1 });
    await expect(ask).rejects.toThrow('none of the 1 later sessions has two views of items');
    const mixed = [...strange, { items: ['p1-0', 'p1-1'], endedAt: 1e9 }];
    const report = await evaluateSessionData({
      sessions: [...known, ...mixed],
      rows: 504,
      testAfter: 1e8,
      seed: 1,
    });
    expect(report.warnings[0]).toContain('2 of 4 later views are of items that were never seen before');
  });
});

describe('trainSessionModel', () => {
  it('gives the same files for the same sessions in another order', async () => {
    const sessions = walks(200, 5);
    const [one, other] = [
      await trainSessionModel(sessions, { seed: 1 }),
      await trainSessionModel(sessions.toReversed(), { seed: 1 }),
    ];
    expect(Buffer.compare(one.onnx.bytes, other.onnx.bytes)).toBe(0);
    expect(one.spec).toEqual(other.spec);
    expect(one.spec.items).toHaveLength(50);
    expect(one.card.metrics['mrr@20']?.value).toBeGreaterThan(
      one.card.baselineMetrics['mrr@20']?.value ?? Number.NaN,
    );
  });

  it('trains on a single session, and says that nothing could be judged', async () => {
    const { card, spec } = await trainSessionModel([{ items: ['a', 'b'], endedAt: 1 }], { seed: 1 });
    expect(spec.items).toEqual(['a', 'b']);
    expect(card.chosenBecause).toContain('the defaults were taken');
    expect(card.warnings).toEqual(['Only 0 next views could be judged: the metrics say little.']);
  });

  it('leaves out the least viewed items beyond the limit, and says so', async () => {
    const { card, spec } = await trainSessionModel(walks(200, 5), { seed: 1, maxItems: 20 });
    expect(spec.items).toHaveLength(20);
    expect(card.warnings[0]).toBe('30 of the least viewed items are left out of the model.');
  });
});
