import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fitBgNbd } from './bg-nbd.js';
import { fitGammaGamma } from './gamma-gamma.js';
import { fitParetoNbd } from './pareto-nbd.js';
import {
  type PurchaseDay,
  purchaseHistory,
  type PurchaseHistories,
  toHistories,
} from './purchase-history.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const dataFolder = process.env['SEXTANT_DATA'];
if (!dataFolder) process.stdout.write('CDNOW check skipped: SEXTANT_DATA is not set\n');

/** The published 1/10 sample of CDNOW: 39 weeks from 1997-01-01, time in weeks. */
function cdnowSample(folder: string): PurchaseHistories {
  const text = gunzipSync(readFileSync(join(folder, 'cdnow', 'cdnow_sample_1in10.csv.gz'))).toString();
  const byCustomer = new Map<string, PurchaseDay[]>();
  for (const line of text.trim().split('\n').slice(1)) {
    const [customer = '', , date = '', , dollars = ''] = line.split(',');
    const days = byCustomer.get(customer) ?? [];
    days.push({ day: Date.parse(date) / DAY_MS, value: Number(dollars) });
    byCustomer.set(customer, days);
  }
  const until = Date.parse('1997-09-30') / DAY_MS;
  const rows = [...byCustomer.values()].map((days) => purchaseHistory(days, { until, periodDays: 7 }));
  return toHistories(rows.filter((row) => row !== null));
}

describe.skipIf(!dataFolder)('the published fits of CDNOW', () => {
  const sample = cdnowSample(dataFolder ?? '');

  it('BG/NBD: Fader, Hardie and Lee (2005), table 2', () => {
    const { parameters, logLikelihood, customers, standardErrors } = fitBgNbd(sample);
    expect(customers).toBe(2357);
    expect(parameters.r).toBeCloseTo(0.2426, 4);
    expect(parameters.alpha).toBeCloseTo(4.4136, 3);
    expect(parameters.a).toBeCloseTo(0.7929, 4);
    expect(parameters.b).toBeCloseTo(2.4259, 3);
    expect(logLikelihood).toBeCloseTo(-9582.43, 2);
    // lifetimes 0.11.3 on the same table.
    expect(standardErrors['r']).toBeCloseTo(0.0126, 3);
    expect(standardErrors['alpha']).toBeCloseTo(0.378, 2);
    expect(standardErrors['a']).toBeCloseTo(0.186, 2);
    expect(standardErrors['b']).toBeCloseTo(0.705, 2);
  });

  it('Pareto/NBD: Fader, Hardie and Lee (2005), table 2', () => {
    const { parameters, logLikelihood } = fitParetoNbd(sample);
    expect(parameters.r).toBeCloseTo(0.553, 3);
    expect(parameters.alpha).toBeCloseTo(10.578, 2);
    expect(parameters.s).toBeCloseTo(0.606, 3);
    expect(parameters.beta).toBeCloseTo(11.669, 1);
    expect(logLikelihood).toBeCloseTo(-9595, 0);
  });

  it('gamma-gamma: Fader and Hardie (2013)', () => {
    const { parameters, customers } = fitGammaGamma(sample);
    expect(customers).toBe(946);
    expect(parameters.p).toBeCloseTo(6.25, 2);
    expect(parameters.q).toBeCloseTo(3.74, 2);
    expect(parameters.v).toBeCloseTo(15.45, 1);
  });
});
