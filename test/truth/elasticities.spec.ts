import { DemandLedger, type StoredEvent } from '@sextant/features';
import { demandFamilyOf, fitDemandModel } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import { type SimulatedFiles, simulatedFiles } from './simulated-truth.js';

interface Coverage {
  products: number;
  /** Products whose interval holds the truth. */
  covered: number;
  /** Mean of estimate less truth. */
  bias: number;
  /** Products whose interval leaves out 0: wide intervals alone would not do. */
  falling: number;
}

/**
 * The truth of a product is its elasticity for a customer of median sensitivity at a purchase that is not yet certain. What a shop meets is a
 * little flatter (regulars buy at any price, some buy in bulk): about 0.2 in the demo company. Intervals have to hold the truth all the same.
 */
async function coverage(files: SimulatedFiles): Promise<Coverage> {
  const ledger = new DemandLedger();
  for await (const event of files.events()) {
    ledger.add({ ...event, at: new Date(String(event['at'])) } as unknown as StoredEvent);
  }
  const rows = ledger.observations();
  const { elasticity } = fitDemandModel(rows, demandFamilyOf(rows), 'price-without-context');
  const truths = new Map<string, number>();
  for await (const line of files.truth()) {
    if (line['kind'] === 'product') truths.set(String(line['id']), Number(line['elasticity']));
  }
  let [covered, products, bias, falling] = [0, 0, 0, 0];
  for (const [product, { value, low, high }] of Object.entries(elasticity)) {
    const truth = truths.get(product) ?? Number.NaN;
    products += 1;
    bias += value - truth;
    if (low <= truth && truth <= high) covered += 1;
    if (high < 0) falling += 1;
  }
  return { covered, products, falling, bias: bias / products };
}

describe('elasticities of a simulated company', () => {
  it.each([
    ['the demo company', {}, 0.5],
    ['a company of another seed, whose few bulk buyers make wide intervals', { seed: '7' }, 0.2],
  ])(
    'hold the sealed truth of at least 90 of 100 products: %s',
    { timeout: 120_000 },
    async (_, flags, informative) => {
      const files = await simulatedFiles(flags);
      try {
        const { covered, products, bias, falling } = await coverage(files);
        process.stdout.write(
          `elasticities: ${covered} of ${products} intervals hold the truth, ${falling} leave out 0, mean difference ${bias.toFixed(3)}\n`,
        );
        expect(products).toBeGreaterThan(100);
        expect(covered / products).toBeGreaterThanOrEqual(0.9);
        expect(falling / products).toBeGreaterThan(informative);
      } finally {
        await files.remove();
      }
    },
  );
});
