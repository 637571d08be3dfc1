import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explain } from './explanation.js';

const attribution = {
  method: 'linear',
  baseValue: 1,
  residual: 0.5,
  contributions: [
    { feature: 'a', contribution: 0.1, value: 'number' as const, number: 3 },
    { feature: 'b', contribution: -2, value: 'text' as const, text: 'steel' },
    { feature: 'c', contribution: 0.2 },
  ],
};

describe('explain', () => {
  it('names the largest contributions and puts the others into the residual', () => {
    expect(explain(attribution, 2)).toMatchObject({
      contributions: [
        { feature: 'b', value: 'steel', contribution: -2 },
        { feature: 'c', value: null, contribution: 0.2 },
      ],
    });
    expect(explain(attribution, 2).sentence({})).toBe('Mostly because b = steel lowers it, c raises it.');
    expect(explain(attribution, 2).residual).toBeCloseTo(0.6, 12);
  });

  it('says so when nothing contributes, and refuses a list of no or too many', () => {
    expect(explain({ ...attribution, contributions: [] }, 5).sentence({})).toBe(
      'No single feature moves this answer.',
    );
    for (const top of [0, 51, 1.5])
      expect(() => explain(attribution, top)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  it('speaks English and German, with their decimal marks, and refuses other languages by name', () => {
    const contributions = [
      { feature: 'share', contribution: 1, value: 'number' as const, number: 0.123_456 },
      { feature: 'visits', contribution: -0.5, value: 'number' as const, number: 12_345 },
    ];
    const { sentence } = explain({ ...attribution, contributions }, 5);
    expect(sentence({ locale: 'en-GB' })).toBe(
      'Mostly because share = 0.1235 raises it, visits = 12350 lowers it.',
    );
    expect(sentence({ locale: 'de-AT' })).toBe(
      'Ausschlaggebend: share = 0,1235 erhöht sie, visits = 12350 senkt sie.',
    );
    for (const locale of ['fr', '', 'toString', 'english'])
      expect(() => sentence({ locale })).toThrow(/locale must be one of en, de/);
  });

  it('adds up to the same value whatever is left out', () => {
    const contributions = fc.array(
      fc.record({ feature: fc.string(), contribution: fc.double({ min: -10, max: 10, noNaN: true }) }),
    );
    fc.assert(
      fc.property(contributions, fc.integer({ min: 1, max: 50 }), (all, top) => {
        const whole = all.reduce((sum, { contribution }) => sum + contribution, 1.5);
        const {
          baseValue,
          residual,
          contributions: shown,
        } = explain({ ...attribution, contributions: all }, top);
        expect(shown.reduce((sum, { contribution }) => sum + contribution, baseValue + residual)).toBeCloseTo(
          whole,
          9,
        );
      }),
    );
  });
});
