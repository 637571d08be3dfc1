import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainItem } from './ease.js';
import { strongestSources } from './strongest-sources.js';

const ITEMS = 6;

describe('strongestSources', () => {
  it('names for each item what explainItem names, in its order', () => {
    const weight = fc.integer({ min: -2, max: 3 });
    fc.assert(
      fc.property(
        fc.array(weight, { minLength: ITEMS * ITEMS, maxLength: ITEMS * ITEMS }),
        fc.uniqueArray(fc.integer({ min: 0, max: ITEMS - 1 })),
        fc.integer({ min: 1, max: 4 }),
        (weights, history, top) => {
          const matrix = Float32Array.from([...weights, ...new Array<number>(ITEMS).fill(0)]);
          const weighed = {
            items: Uint32Array.from(history),
            weights: new Float64Array(history.length).fill(1),
          };
          const items = [0, 2, 5];
          const found = strongestSources({
            items,
            sources: history.length,
            top,
            contribution: (source, item) => matrix[(history[source] ?? 0) * ITEMS + item] ?? 0,
            order: weighed.items,
          });
          items.forEach((item, i) => {
            const named = Array.from({ length: found.counts[i] ?? 0 }, (_, r) => ({
              item: history[found.sources[i * top + r] ?? -1],
              contribution: found.contributions[i * top + r],
            }));
            expect(named).toEqual(explainItem({ itemCount: ITEMS, matrix }, weighed, item, top));
          });
        },
      ),
    );
  });

  it('keeps the order of the sources where contributions are equal', () => {
    const found = strongestSources({ items: [0], sources: 4, top: 2, contribution: () => 1 });
    expect([...found.sources]).toEqual([0, 1]);
  });
});
