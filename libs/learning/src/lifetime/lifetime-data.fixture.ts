import { randomNormal, seededRandom } from '../random/seeded-random.js';
import { type PurchaseHistories, toHistories } from './purchase-history.js';

/** Columns from rows [frequency, recency, age, mean spend, mean value]. */
export function histories(...rows: readonly (readonly number[])[]): PurchaseHistories {
  return toHistories(
    rows.map(([frequency = 0, recency = 0, age = 0, meanSpend = Number.NaN, meanValue = Number.NaN]) => ({
      frequency,
      recency,
      age,
      meanSpend,
      meanValue,
    })),
  );
}

/** Customers who buy at rate λ ~ Gamma(shape, rate) and leave with a constant hazard μ ~ Gamma(leave.shape, leave.rate). */
export function simulatedHistories(
  n: number,
  {
    seed,
    age,
    buy,
    leave,
  }: {
    seed: number;
    age: number;
    buy: { shape: number; rate: number };
    leave: { shape: number; rate: number };
  },
): PurchaseHistories {
  const random = seededRandom(seed);
  const gamma = ({ shape, rate }: { shape: number; rate: number }): number => drawGamma(shape, random) / rate;
  const rows = Array.from({ length: n }, () => {
    const observed = age * (0.5 + 0.5 * random());
    const [rate, life] = [gamma(buy), -Math.log(random()) / gamma(leave)];
    let [x, last] = [0, 0];
    for (
      let at = -Math.log(random()) / rate;
      at < Math.min(life, observed);
      at -= Math.log(random()) / rate
    ) {
      x++;
      last = at;
    }
    return [x, last, observed];
  });
  return histories(...rows);
}

/** Marsaglia and Tsang (2000), with the boost for shapes below 1. */
function drawGamma(shape: number, random: () => number): number {
  if (shape < 1) return drawGamma(shape + 1, random) * random() ** (1 / shape);
  const d = shape - 1 / 3;
  for (;;) {
    const z = randomNormal(random);
    const v = (1 + z / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(random()) < 0.5 * z * z + d - d * v + d * Math.log(v)) return d * v;
  }
}
