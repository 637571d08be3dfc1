import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluatePriceFile, priceCommand, type PriceFlags } from './price.command.js';

let folder: string;
let csv: string;

/** Two products in two stores over 60 weeks; elasticities −2 and −3, units of last week matter. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'price-'));
  csv = join(folder, 'sales.csv');
  const lines = ['store,sku,week,date,price,units,promo,cost,test'];
  for (const store of [1, 2]) {
    for (const sku of ['a', 'b']) {
      let carried = 0;
      for (let week = 1; week <= 60; week++) {
        const noise = Math.sin(week * 12.9898 + store * 78.233 + (sku === 'a' ? 1 : 2)) * 0.3;
        carried = 0.7 * carried + noise;
        const price = 4 + ((week * 7 + store * 3 + (sku === 'a' ? 0 : 2)) % 5);
        const units = Math.exp(8 + carried - (sku === 'a' ? 2 : 3) * Math.log(price));
        const date = new Date(Date.UTC(2024, 0, 7 * week)).toISOString().slice(0, 10);
        lines.push(
          [store, sku, week, date, price, units.toFixed(3), week % 2, 2, Number(week % 3 === 0)].join(','),
        );
      }
    }
  }
  lines.push('1,a,61,2025-03-02,,5,0,2,0', '1,a,62,2025-03-09,4,-1,0,2,0');
  writeFileSync(csv, `${lines.join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const flags = (more: Partial<PriceFlags> = {}): PriceFlags => ({
  csv,
  units: 'units',
  price: 'price',
  product: 'sku',
  store: 'store',
  time: 'week',
  seed: '1',
  ...more,
});
const refusal = (path: string, ...parts: string[]) =>
  expect.objectContaining({
    code: 'INVALID_INPUT',
    path,
    message: expect.stringMatching(parts.join('.*')) as string,
  });

describe('evaluate price', { timeout: 60_000 }, () => {
  it('reads columns, leaves out rows without a price, and finds the elasticities', async () => {
    const { rows, test, warnings, details, metrics } = await evaluatePriceFile(
      flags({ split: 'column:week>48', context: 'promo' }),
    );
    expect(rows).toBe(242);
    expect(test).toBe(48);
    expect(warnings).toContainEqual(expect.stringContaining('2 rows left out'));
    const { a, b } = details['elasticity'] as Record<string, { value: number }>;
    expect(Math.abs((a?.value ?? 0) + 2)).toBeLessThan(0.5);
    expect(Math.abs((b?.value ?? 0) + 3)).toBeLessThan(0.5);
    expect(Object.keys(metrics)).toEqual(['rmseLogUnits', 'maeUnits', 'wape', 'mape', 'rmseLogUnitsOfCurve']);
  });

  it('forecasts better with the past known, better one week ahead than eight, the same by date as by week', async () => {
    const errorOf = async (more: Partial<PriceFlags>): Promise<number> => {
      const { metrics } = await evaluatePriceFile(flags({ split: 'column:week>48', ...more }));
      return metrics['rmseLogUnits']?.value ?? Number.NaN;
    };
    const [blind, near, far, dated] = await Promise.all([
      errorOf({}),
      errorOf({ lags: true }),
      errorOf({ lags: true, horizon: '8' }),
      errorOf({ lags: true, time: 'date', split: 'column:date>=2024-12-08' }),
    ]);
    expect(near).toBeLessThan(blind ?? 0);
    expect(near).toBeLessThan(far ?? 0);
    expect(dated).toBeCloseTo(near ?? 0, 6);
  });

  it('takes elasticities from an experiment where a column names one', async () => {
    const { details } = await evaluatePriceFile(flags({ experiment: 'promo' }));
    expect(details['elasticityUsed']).toMatchObject({ basis: 'experiment' });
  });

  it('refuses flags and columns that do not fit, naming them and the remedy', async () => {
    const refused = (more: Partial<PriceFlags>, expected: unknown) =>
      expect(evaluatePriceFile(flags(more))).rejects.toEqual(expected);
    await refused({ split: 'half' }, refusal('--split', 'crc32, last:0.2 or column:week>347', '"half"'));
    await refused({ split: 'column:week>soon' }, refusal('--split', '"soon"'));
    await refused({ price: 'cost of it' }, refusal('cost of it', 'no column', '"price"'));
    await refused({ context: 'promo,price' }, refusal('--context', '"price"'));
    await refused({ lags: true, time: undefined }, refusal('--lags', '--time'));
    await refused({ lags: true, horizon: '0' }, refusal('horizon', '0'));
    await refused({ experiment: 'promo', instrument: 'cost' }, refusal('--instrument', 'not both'));
    await refused({ split: 'column:week>100' }, expect.objectContaining({ code: 'DATA_INSUFFICIENT' }));
  });

  it('prints one JSON object on request', async () => {
    const printed: string[] = [];
    const args = ['--csv', csv, '--units', 'units', '--price', 'price', '--product', 'sku', '--json'];
    await priceCommand((text) => printed.push(text)).parseAsync(['node', 'sextant', ...args]);
    expect(JSON.parse(printed.join(''))).toMatchObject({ task: 'price', rows: 242, leaks: [] });
  });
});
