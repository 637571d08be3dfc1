import { tableOfRecords } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import { fitEffectEncoder } from './effect-columns.js';

const table = tableOfRecords(
  Array.from({ length: 100 }, (_, i) => ({
    visits: i % 13,
    visitsAgain: 2 * (i % 13) + 1,
    budget: i < 15 ? i : null,
    industry: i < 15 ? `branch ${i % 3}` : null,
    country: i < 60 ? ['NL', 'DE'][i % 2] : null,
  })) as Record<string, number | string | null>[],
);

describe('fitEffectEncoder', () => {
  it('leaves out what is seldom known and says so, and what repeats another column', () => {
    const { encoding, warnings } = fitEffectEncoder(table);
    expect(encoding.columns.map(({ column }) => column)).toEqual(['country', 'visits']);
    for (const name of ['budget', 'industry'])
      expect(warnings).toContainEqual(
        expect.stringContaining(`"${name}" left out: known of fewer than 20 %`),
      );
  });

  it('may have no column at all', () => {
    const nothing = tableOfRecords([{ a: null }, { a: null }]);
    expect(fitEffectEncoder(nothing).encoding.features).toEqual([]);
  });
});
