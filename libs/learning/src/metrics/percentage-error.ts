import type { Measured } from '@sextant/artefacts';
import { bootstrap, type BootstrapOptions } from './bootstrap.js';
import type { WeightedStatistic } from './classification.js';

/**
 * Mean absolute percentage error as a share: the mean of |actual − predicted| / |actual| over the rows whose actual value is not 0, which
 * has no percentage. NaN where there is none.
 *
 * @throws RangeError when the lengths differ
 */
export function weightedMape(actual: ArrayLike<number>, predicted: ArrayLike<number>): WeightedStatistic {
  assertSameLength(actual, predicted);
  return (weights) => {
    let [sum, total] = [0, 0];
    for (let i = 0; i < actual.length; i++) {
      const [value, weight] = [actual[i] ?? Number.NaN, weights[i] ?? 0];
      if (value === 0) continue;
      sum += weight * Math.abs((value - (predicted[i] ?? Number.NaN)) / value);
      total += weight;
    }
    return sum / total;
  };
}

/**
 * Weighted absolute percentage error as a share: Σ |actual − predicted| / Σ |actual|, which takes zeros. NaN where all are 0.
 *
 * @throws RangeError when the lengths differ
 */
export function weightedWape(actual: ArrayLike<number>, predicted: ArrayLike<number>): WeightedStatistic {
  assertSameLength(actual, predicted);
  return (weights) => {
    let [missed, total] = [0, 0];
    for (let i = 0; i < actual.length; i++) {
      const [value, weight] = [actual[i] ?? Number.NaN, weights[i] ?? 0];
      missed += weight * Math.abs(value - (predicted[i] ?? Number.NaN));
      total += weight * Math.abs(value);
    }
    return total === 0 ? Number.NaN : missed / total;
  };
}

/** Mean absolute percentage error with its interval over resampled rows. */
export function measuredMape(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  options: BootstrapOptions,
): Measured {
  return bootstrap(actual.length, weightedMape(actual, predicted), options);
}

/** Weighted absolute percentage error with its interval over resampled rows. */
export function measuredWape(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  options: BootstrapOptions,
): Measured {
  return bootstrap(actual.length, weightedWape(actual, predicted), options);
}

function assertSameLength(a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length !== b.length) throw new RangeError(`lengths differ: ${a.length} and ${b.length}`);
}
