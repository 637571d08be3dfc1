import { describe, expect, it } from 'vitest';
import { randomNormal, seededRandom } from '../random/seeded-random.js';
import { type InstrumentedDemand, twoStageElasticity } from './two-stage.js';

/** Demand with elasticity −2, where what nobody sees raises price and units alike; `strength` of the instrument. */
function endogenous(n: number, strength: number): InstrumentedDemand {
  const random = seededRandom(11);
  const rows = Array.from({ length: n }, (_, i) => {
    const [hidden, z, promo] = [randomNormal(random), randomNormal(random), i % 2];
    const logPrice = 0.3 * hidden + strength * z - 0.2 * promo + 0.1 * randomNormal(random);
    const logUnits = (i % 3) - 2 * logPrice + 0.5 * promo + 0.5 * hidden + 0.2 * randomNormal(random);
    return { logPrice, logUnits, z, promo };
  });
  return {
    logUnits: Float64Array.from(rows, (row) => row.logUnits),
    logPrice: Float64Array.from(rows, (row) => row.logPrice),
    instrument: Float64Array.from(rows, (row) => row.z),
    controls: [Float64Array.from(rows, (row) => row.promo)],
    groups: rows.map((_, i) => i % 3),
    clusters: rows.map((_, i) => i),
  };
}

describe('twoStageElasticity', () => {
  it('is the ratio of two differences for an instrument of 0 and 1 (Wald), worked by hand', () => {
    // z = 1 raises the log price by 1 and the log units by −2.5 on average.
    const { elasticity, ordinary } = twoStageElasticity({
      instrument: Float64Array.of(0, 0, 1, 1),
      logPrice: Float64Array.of(0, 1, 1, 2),
      logUnits: Float64Array.of(5, 6, 3, 3),
      controls: [],
      groups: [0, 0, 0, 0],
      clusters: [0, 1, 2, 3],
    });
    expect(elasticity.value).toBeCloseTo(-2.5, 10);
    expect(ordinary).toBeCloseTo(-1, 10);
  });

  it('finds the elasticity where the ordinary regression is biased, and says the instrument is strong', () => {
    const { elasticity, firstStageF, isWeak, ordinary } = twoStageElasticity(endogenous(4000, 0.3));
    expect(ordinary).toBeGreaterThan(-1.6);
    expect(elasticity.low).toBeLessThan(-2);
    expect(elasticity.high).toBeGreaterThan(-2);
    expect(Math.abs(elasticity.value + 2)).toBeLessThan(0.15);
    expect(firstStageF).toBeGreaterThan(100);
    expect(isWeak).toBe(false);
  });

  it('calls an instrument weak that hardly moves the price', () => {
    expect(twoStageElasticity(endogenous(400, 0)).isWeak).toBe(true);
  });

  it('gives the ordinary regression where the price is its own instrument', () => {
    const demand = endogenous(300, 0.3);
    const { elasticity, ordinary } = twoStageElasticity({ ...demand, instrument: demand.logPrice });
    expect(elasticity.value).toBeCloseTo(ordinary, 9);
  });

  it('widens the interval where rows of a cluster are copies of each other', () => {
    const demand = endogenous(300, 0.3);
    const twice = (column: Float64Array): Float64Array => Float64Array.from([...column, ...column]);
    const doubled = {
      logUnits: twice(demand.logUnits),
      logPrice: twice(demand.logPrice),
      instrument: twice(demand.instrument),
      controls: demand.controls.map(twice),
      groups: [...Array.from(demand.groups), ...Array.from(demand.groups)],
    };
    const ids = Array.from(demand.clusters);
    const width = (clusters: number[]): number => {
      const { low, high } = twoStageElasticity({ ...doubled, clusters }).elasticity;
      return high - low;
    };
    expect(width([...ids, ...ids]) / width([...ids, ...ids.map((id) => id + 300)])).toBeCloseTo(
      Math.SQRT2,
      1,
    );
  });

  it('refuses an instrument or a price that does not vary within products, no rows, and lengths that differ', () => {
    const insufficient = expect.objectContaining({ code: 'DATA_INSUFFICIENT' });
    const demand = endogenous(60, 0.3);
    const fixed = { ...demand, instrument: Float64Array.from(demand.groups) };
    expect(() => twoStageElasticity(fixed)).toThrow(insufficient);
    expect(() => twoStageElasticity({ ...demand, logPrice: new Float64Array(60).fill(2.3) })).toThrow(
      insufficient,
    );
    const none = new Float64Array(0);
    const empty = {
      logUnits: none,
      logPrice: none,
      instrument: none,
      controls: [],
      groups: [],
      clusters: [],
    };
    expect(() => twoStageElasticity(empty)).toThrow(insufficient);
    expect(() => twoStageElasticity({ ...demand, groups: [0] })).toThrow(RangeError);
  });
});
