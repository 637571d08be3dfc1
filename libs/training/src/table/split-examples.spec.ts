import { describe, expect, it } from 'vitest';
import { tableOfRecords } from '@sextant/learning';
import { foldsByGroup, splitExamples } from './split-examples.js';
import type { TableExamples } from './table-examples.js';

const DAY_MS = 86_400_000;

/** 200 rows, one a day, every fourth of them positive; two rows a group. */
const daily = (
  at: (day: number) => number = (day) => day * DAY_MS,
  label: (day: number) => number = (day) => (day % 4 === 0 ? 1 : 0),
): TableExamples => {
  const days = Array.from({ length: 200 }, (_, day) => day).sort((a, b) => at(a) - at(b) || a - b);
  return {
    table: tableOfRecords(days.map((day) => ({ day }))),
    groupIds: days.map((day) => `c${Math.floor(day / 2)}`),
    at: Float64Array.from(days, at),
    labels: Uint8Array.from(days, label),
  };
};

describe('splitExamples', () => {
  it('takes later rows to tune and to validate, and leaves out what was not known when they began', () => {
    const data = daily();
    const split = splitExamples(data, { seed: 1, horizon: 10 * DAY_MS });

    expect(split.kind).toBe('later');
    expect([
      split.fit.length,
      split.tune.length,
      split.beforeValidation.length,
      split.validate.length,
    ]).toEqual([111, 40, 151, 40]);
    expect(split.fit.at(-1)).toBe(110);
    expect(split.tune[0]).toBe(120);
    expect(split.validate[0]).toBe(160);
    expect(split.notes).toEqual([]);
  });

  it('keeps all earlier rows, and says so, where the horizon would leave less than half', () => {
    const split = splitExamples(daily(), { seed: 1, horizon: 100 * DAY_MS });

    expect(split.fit).toHaveLength(120);
    expect(split.notes).toEqual([expect.stringContaining('short against the horizon')]);
  });

  it('never parts rows of one instant', () => {
    const data = daily((day) => Math.floor(day / 15) * DAY_MS);
    const { kind, fit, tune, validate } = splitExamples(data, { seed: 1, horizon: 0 });

    expect(kind).toBe('later');
    for (const [before, after] of [
      [fit, tune],
      [tune, validate],
    ]) {
      expect(data.at[before?.at(-1) ?? 0]).toBeLessThan(data.at[after?.[0] ?? 0] ?? 0);
    }
  });

  it('deals groups out by hash where there are fewer than 10 instants', () => {
    const data = daily((day) => day % 9);
    const split = splitExamples(data, { seed: 1, horizon: DAY_MS });

    expect(split.kind).toBe('hash');
    expect(split.notes).toEqual([expect.stringContaining('carry no times')]);
    expect(
      splitExamples(
        daily((day) => day % 10),
        { seed: 1, horizon: 0 },
      ).kind,
    ).toBe('later');
    const idsOf = (rows: number[]) => new Set(rows.map((row) => data.groupIds[row]));
    expect([...idsOf(split.fit)].filter((id) => idsOf(split.validate).has(id))).toEqual([]);
    expect(new Set([...split.fit, ...split.tune, ...split.validate]).size).toBe(200);
    const won = split.validate.filter((row) => data.labels[row] === 1).length;
    expect(won / split.validate.length).toBeCloseTo(0.25, 1);
  });

  it('deals out by hash, and says so, where the latest rows have one outcome only', () => {
    const examples = daily(undefined, (day) => (day < 150 && day % 4 === 0 ? 1 : 0));

    expect(splitExamples(examples, { seed: 1, horizon: 0 })).toMatchObject({
      kind: 'hash',
      notes: [expect.stringContaining('without one of the outcomes')],
    });
  });

  it('depends on the seed only', () => {
    const examples = daily(() => 0);
    const split = splitExamples(examples, { seed: 4, horizon: 0 });

    expect(splitExamples(examples, { seed: 4, horizon: 0 })).toEqual(split);
    expect(splitExamples(examples, { seed: 5, horizon: 0 })).not.toEqual(split);
  });
});

describe('foldsByGroup', () => {
  it('keeps a group in one fold and the folds alike', () => {
    const data = daily();
    const folds = foldsByGroup(data, 5, 3);

    for (let row = 0; row < 200; row += 2) expect(folds[row]).toBe(folds[row + 1]);
    for (let fold = 0; fold < 5; fold++) expect(folds.filter((f) => f === fold)).toHaveLength(40);
  });
});
