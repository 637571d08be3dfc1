import { describe, expect, it } from 'vitest';
import { type SeriesRow, withHistory } from './demand-history.js';

const at = (series: string, period: number, units: number, price = 2): SeriesRow => ({
  series,
  period,
  row: { product: 'a', price, units, at: new Date(period * 86_400_000), context: { promo: 1 } },
});

describe('withHistory', () => {
  it('tells the last time, the means and the gap, and keeps what was there', () => {
    const rows = [at('s', 1, 0), at('s', 2, 3, 4), at('s', 5, 9)];
    const [first, , third] = withHistory(rows, { horizon: 1 });
    expect(first?.context).toMatchObject({
      promo: 1,
      'log units last seen': null,
      'periods since last seen': null,
    });
    expect(third?.context).toMatchObject({
      promo: 1,
      'log units last seen': Math.log(4),
      'log price last seen': Math.log(4),
      'mean log units of last 4': Math.log(4) / 2,
      'mean log price of last 8': (Math.log(2) + Math.log(4)) / 2,
      'periods since last seen': 3,
    });
  });

  it('knows nothing that is nearer than the horizon, of its own period, or of another series', () => {
    const rows = [at('s', 1, 1), at('s', 3, 100), at('other', 2, 7), at('s', 4, 5), at('s', 4, 50)];
    const [, , , fourth, twin] = withHistory(rows, { horizon: 2 });
    for (const row of [fourth, twin])
      expect(row?.context).toMatchObject({
        'log units last seen': Math.log(2),
        'periods since last seen': 3,
      });
  });

  it('does not depend on units of the row itself or of later rows, whatever their order in the file', () => {
    const known = [at('s', 1, 2), at('s', 2, 4)];
    const history = (units: number): unknown =>
      withHistory([at('s', 9, units * 2), at('s', 8, units), ...known], { horizon: 1 })[1]?.context;
    expect(history(1000)).toEqual(history(1));
  });

  it('works on no rows, and refuses a horizon that is none', () => {
    expect(withHistory([], { horizon: 1 })).toEqual([]);
    for (const horizon of [0, 1.5, Number.NaN])
      expect(() => withHistory([], { horizon })).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});
