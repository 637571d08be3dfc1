import type { Measured } from '@sextant/artefacts';
import { bootstrap, measuredMean, measuredRootMean } from '@sextant/learning';

const LEVEL = 0.95;

/**
 * `rmse` and `mae` in the unit of the outcome, `r2` against the mean of the same rows; each with a bootstrap interval of 95 % over rows.
 * `r2` is left out where all rows have one outcome.
 */
export function regressionFigures(
  actual: Float64Array,
  predicted: Float64Array,
  seed: number,
): Record<string, Measured> {
  const options = { seed, level: LEVEL };
  const errors = actual.map((value, row) => Math.abs(value - (predicted[row] ?? 0)));
  const squared = errors.map((error) => error * error);
  const rSquared = (weights: Float64Array): number => {
    let [sum, total, ofErrors, ofSquares] = [0, 0, 0, 0];
    for (const [row, weight] of weights.entries()) {
      total += weight;
      sum += weight * (actual[row] ?? 0);
      ofErrors += weight * (squared[row] ?? 0);
    }
    for (const [row, weight] of weights.entries())
      ofSquares += weight * ((actual[row] ?? 0) - sum / total) ** 2;
    return ofSquares > 0 ? 1 - ofErrors / ofSquares : Number.NaN;
  };
  const varies = actual.some((value) => value !== actual[0]);
  return {
    rmse: measuredRootMean(squared, options),
    mae: measuredMean(errors, options),
    ...(varies && { r2: bootstrap(actual.length, rSquared, options) }),
  };
}
