import { describe, expect, it } from 'vitest';
import { imbalances, sampleRatioP } from './balance.js';
import { quadrantOf, targetingValue } from './policy.js';
import { anExperiment } from './uplift.fixture.js';

describe('quadrantOf', () => {
  it.each([
    [0.9, { low: 0.01, high: 0.2 }, 'PERSUADABLE', true],
    [0.9, { low: -0.2, high: -0.01 }, 'SLEEPING_DOG', true],
    [0.5, { low: 0, high: 0.1 }, 'SURE_THING', false],
    [0.49, { low: -0.1, high: 0 }, 'LOST_CAUSE', false],
  ])('probability %d without, effect %o: %s', (without, uplift, segment, isProven) => {
    expect(quadrantOf(without, uplift, 0.5)).toEqual({ segment, isProven });
  });
});

describe('targetingValue', () => {
  const data = anExperiment(8000, { seed: 3 });

  it('gains by leaving out those whom the action harms', () => {
    const worth = targetingValue(
      data,
      { effects: data.truth, cost: 1, value: 10 },
      { seed: 1, resamples: 100 },
    );
    expect(worth.share).toBeGreaterThan(0.2);
    expect(worth.share).toBeLessThan(0.5);
    expect(worth.targeted.low).toBeGreaterThan(worth.everybody.high);
  });

  it('treats nobody for nothing, and refuses a negative cost', () => {
    const none = targetingValue(data, { effects: data.truth, cost: 1, value: 0 }, { seed: 1, resamples: 10 });
    expect([none.share, none.targeted.value]).toEqual([0, 0]);
    expect(() => targetingValue(data, { effects: data.truth, cost: -1, value: 1 }, { seed: 1 })).toThrow(
      RangeError,
    );
  });
});

describe('sampleRatioP', () => {
  it('has the published value of Cookie Cats: 44,700 and 45,489 are no fair half', () => {
    expect(sampleRatioP({ treated: 45_489, control: 44_700 }, 0.5)).toBeCloseTo(0.0086, 4);
  });

  it('is 1 for exactly what was planned and for nobody, and refuses a share of 1', () => {
    expect(sampleRatioP({ treated: 30, control: 10 }, 0.75)).toBeCloseTo(1, 12);
    expect(sampleRatioP({ treated: 0, control: 0 }, 0.5)).toBe(1);
    expect(() => sampleRatioP({ treated: 1, control: 1 }, 1)).toThrow(RangeError);
  });
});

describe('imbalances', () => {
  it('names a column that the treatment changed, and none of a fair draw', () => {
    const { rows, columns, treated } = anExperiment(2000, { seed: 5 });
    const names = ['a', 'b', 'c'];
    expect(imbalances(rows, names, treated)).toEqual([]);
    const later = rows.map((x, i) =>
      i % columns === 2 ? x + 0.3 * (treated[Math.floor(i / columns)] ?? 0) : x,
    );
    expect(imbalances(later, names, treated).map(({ feature }) => feature)).toEqual(['c']);
  });
});
