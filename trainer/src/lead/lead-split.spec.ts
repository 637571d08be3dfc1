import { describe, expect, it } from 'vitest';
import { type LeadExample, settledExamples, toLeadData } from './lead-example.js';
import { foldsByCustomer, splitLeads } from './lead-split.js';

const DAY_MS = 86_400_000;
const NOW = new Date('2026-03-01T00:00:00Z');

/** 200 leads, one a day, every fourth of them won; two leads a customer. */
const daily = (at: (day: number) => number = (day) => day * DAY_MS): LeadExample[] =>
  Array.from({ length: 200 }, (_, day) => ({
    customerId: `c${Math.floor(day / 2)}`,
    at: at(day),
    features: { day },
    label: day % 4 === 0 ? 1 : 0,
  }));

describe('splitLeads', () => {
  it('takes later rows to tune and to validate, and leaves out what was not known when they began', () => {
    const data = toLeadData(daily());
    const split = splitLeads(data, { seed: 1, horizonMs: 10 * DAY_MS });

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
    const split = splitLeads(toLeadData(daily()), { seed: 1, horizonMs: 100 * DAY_MS });

    expect(split.fit).toHaveLength(120);
    expect(split.notes).toEqual([expect.stringContaining('short against the horizon')]);
  });

  it('never parts rows of one instant', () => {
    const data = toLeadData(daily((day) => Math.floor(day / 15) * DAY_MS));
    const { kind, fit, tune, validate } = splitLeads(data, { seed: 1, horizonMs: 0 });

    expect(kind).toBe('later');
    for (const [before, after] of [
      [fit, tune],
      [tune, validate],
    ]) {
      expect(data.at[before?.at(-1) ?? 0]).toBeLessThan(data.at[after?.[0] ?? 0] ?? 0);
    }
  });

  it('deals customers out by hash where there are fewer than 10 instants', () => {
    const data = toLeadData(daily((day) => day % 9));
    const split = splitLeads(data, { seed: 1, horizonMs: DAY_MS });

    expect(split.kind).toBe('hash');
    expect(split.notes).toEqual([expect.stringContaining('carry no times')]);
    expect(splitLeads(toLeadData(daily((day) => day % 10)), { seed: 1, horizonMs: 0 }).kind).toBe('later');
    const idsOf = (rows: number[]) => new Set(rows.map((row) => data.customerIds[row]));
    expect([...idsOf(split.fit)].filter((id) => idsOf(split.validate).has(id))).toEqual([]);
    expect(new Set([...split.fit, ...split.tune, ...split.validate]).size).toBe(200);
    const won = split.validate.filter((row) => data.labels[row] === 1).length;
    expect(won / split.validate.length).toBeCloseTo(0.25, 1);
  });

  it('deals out by hash, and says so, where the latest rows have one outcome only', () => {
    const examples = daily().map((lead, i): LeadExample => ({
      ...lead,
      label: i < 150 && i % 4 === 0 ? 1 : 0,
    }));

    expect(splitLeads(toLeadData(examples), { seed: 1, horizonMs: 0 })).toMatchObject({
      kind: 'hash',
      notes: [expect.stringContaining('without one of the outcomes')],
    });
  });

  it('depends on the seed only, not on the order of the examples', () => {
    const examples = daily(() => 0);
    const [first, reversed] = [toLeadData(examples), toLeadData(examples.toReversed())];

    expect(splitLeads(first, { seed: 4, horizonMs: 0 })).toEqual(
      splitLeads(reversed, { seed: 4, horizonMs: 0 }),
    );
    expect(splitLeads(first, { seed: 4, horizonMs: 0 })).not.toEqual(
      splitLeads(first, { seed: 5, horizonMs: 0 }),
    );
  });
});

describe('foldsByCustomer', () => {
  it('keeps a customer in one fold and the folds alike', () => {
    const data = toLeadData(daily());
    const folds = foldsByCustomer(data, 5, 3);

    for (let row = 0; row < 200; row += 2) expect(folds[row]).toBe(folds[row + 1]);
    for (let fold = 0; fold < 5; fold++) expect(folds.filter((f) => f === fold)).toHaveLength(40);
  });
});

describe('settledExamples', () => {
  const at = (daysAgo: number): LeadExample => ({
    customerId: 'c',
    at: NOW.getTime() - daysAgo * DAY_MS,
    features: {},
    label: 0,
  });

  it('leaves out leads whose horizon has not passed, to the instant', () => {
    const { examples, notes } = settledExamples([at(40), at(30), at(30 - 1 / 86_400_000)], 30, NOW);

    expect(examples).toHaveLength(2);
    expect(notes).toEqual([expect.stringContaining('1 examples left out')]);
  });

  it('keeps all where less than half would be left, and says so', () => {
    const { examples, notes } = settledExamples([at(40), at(1), at(2)], 30, NOW);

    expect(examples).toHaveLength(3);
    expect(notes).toEqual([expect.stringContaining('2 of 3')]);
  });
});
