import { describe, expect, it } from 'vitest';
import { auc } from '../metrics/probability.js';
import { seededRandom } from '../random/seeded-random.js';
import { logit } from '../score/logistic.js';
import { tableOfRecords } from './column-table.js';
import { encodeTable } from './encode-table.js';
import { fitTargetLookups } from './target-lookup.js';

const ROWS = 4000;
const random = seededRandom(31);
const cities = Array.from({ length: ROWS }, (_, i) =>
  i % 50 === 0 ? null : `city ${Math.floor(200 * random())}`,
);
const table = tableOfRecords(cities.map((city, i) => ({ city, few: `f${i % 40}`, id: i })));
const groups = cities.map((_, i) => `customer ${Math.floor(i / 2)}`);
const fit = (labels: ArrayLike<number>) => {
  const [lookup, ...others] = fitTargetLookups(table, ['city', 'few'], { labels, groups });
  expect(others).toEqual([]);
  if (lookup === undefined) throw new Error('the cities are many');
  return lookup;
};

describe('fitTargetLookups', () => {
  it('gives a text the smoothed log-odds of its rows against all, by hand', () => {
    const labels = Uint8Array.from(cities, (city) => (city === 'city 7' ? 1 : 0));
    const rows = labels.reduce((sum, label) => sum + label, 0);
    const rate = (rows + 0.5) / (ROWS + 1);

    const { encoding } = fit(labels);
    expect(encoding.values['city 7']).toBeCloseTo(logit((rows + 20 * rate) / (rows + 20)) - logit(rate), 9);
    expect(encoding.values['city 8']).toBeLessThan(0);
    const served = encodeTable(
      { columns: [encoding], features: [encoding.feature], standardised: false },
      tableOfRecords([{ city: 'city 7' }, { city: 'new' }, { city: null }]),
    );
    expect([...served]).toEqual([Math.fround(encoding.values['city 7'] ?? 0), 0, 0]);
  });

  it('tells the fitted rows nothing of their own label', () => {
    const labels = cities.map(() => (random() < 0.3 ? 1 : 0));
    const { encoding, outOfFold } = fit(labels);
    const own = cities.map((city) => encoding.values[city ?? ''] ?? 0);

    expect(auc(labels, own)).toBeGreaterThan(0.58);
    expect(Math.abs(auc(labels, outOfFold) - 0.5)).toBeLessThan(0.03);
  });

  it('keeps what a text really says, out of fold', () => {
    const labels = cities.map((city) => (random() < (Number(city?.slice(5)) % 4 === 0 ? 0.7 : 0.2) ? 1 : 0));

    expect(auc(labels, fit(labels).outOfFold)).toBeGreaterThan(0.65);
  });

  it('leaves columns of at most 40 texts alone, and a text that came once at 0', () => {
    const once = tableOfRecords(
      Array.from({ length: 100 }, (_, i) => ({ a: i < 50 ? `a${i % 40}` : `b${i % 39}` })),
    );
    const labels = Array.from({ length: 100 }, (_, i) => i % 2);
    const [lookup] = fitTargetLookups(once, ['a'], { labels, groups: labels.map((_, i) => `${i}`) });

    expect(lookup?.encoding.values['a39']).toBeUndefined();
    expect(lookup?.outOfFold[39]).toBe(0);
    expect(fitTargetLookups(table, ['few'], { labels: new Uint8Array(ROWS), groups })).toEqual([]);
  });
});
