import type { Measured } from '@sextant/artefacts';
import {
  absoluteErrors,
  type DemandFamily,
  type DemandRow,
  demandTable,
  mean,
  measuredMean,
  measuredRootMean,
  pairedDifference,
  squaredErrors,
} from '@sextant/learning';
import type { DemandCandidate, FittedDemand } from './demand-candidate.js';
import type { DemandSplit } from './demand-split.js';

/** How log units do on the validation rows. */
export interface DemandQuality {
  /** Loss of each validation row: squared error of log units, or Poisson deviance of units. */
  losses: Float64Array;
  metrics: Record<string, Measured>;
  smearing: number;
  residualSd: number;
}

/** A candidate fitted on the training rows and how it does on the validation rows. */
export interface JudgedDemand extends DemandQuality {
  candidate: DemandCandidate;
  /** On the rows that came before the validation rows. */
  fitted: FittedDemand;
}

export interface DemandChoice {
  chosen: JudgedDemand;
  /** One sentence a comparison. */
  reasons: string[];
}

export interface Judging {
  split: DemandSplit;
  family: DemandFamily;
  seed: number;
}

export async function judgeDemand(candidate: DemandCandidate, judging: Judging): Promise<JudgedDemand> {
  const { train, validate } = judging.split;
  const fitted = await candidate.fit(train);
  const logUnits = fitted.logUnits(demandTable(validate));
  return { candidate, fitted, ...judgeLogUnitsOf(logUnits, judging) };
}

/** The mean of each product (of log units, or of units), and the mean of all for a product that training did not hold. */
export function judgeBaseline(judging: Judging): DemandQuality {
  const { split, family } = judging;
  const unitsOf = ({ units }: DemandRow): number => (family === 'gaussian' ? Math.log(units) : units);
  const overall = mean(split.train.map(unitsOf));
  const byProduct = new Map(
    [...Map.groupBy(split.train, ({ product }) => product)].map(([product, rows]) => [
      product,
      mean(rows.map(unitsOf)),
    ]),
  );
  const predicted = split.validate.map(({ product }) => byProduct.get(product) ?? overall);
  const least = 1e-6;
  return judgeLogUnitsOf(
    Float64Array.from(predicted, (y) => (family === 'gaussian' ? y : Math.log(Math.max(least, y)))),
    judging,
  );
}

/** The simplest candidate (in the order given), unless a later one is better beyond noise: paired bootstrap, 95 %. */
export function chooseDemand(judged: readonly [JudgedDemand, ...JudgedDemand[]], seed: number): DemandChoice {
  let chosen = judged[0];
  const reasons: string[] = [];
  for (const other of judged.slice(1)) {
    const gain = pairedDifference(chosen.losses, other.losses, { seed, level: 0.95 });
    const isBetter = gain.low > 0;
    const figures = `loss ${mean(other.losses).toFixed(4)} against ${mean(chosen.losses).toFixed(4)}, gain ${gain.value.toFixed(4)} (${gain.low.toFixed(4)} to ${gain.high.toFixed(4)})`;
    const verdict = isBetter ? 'is better beyond noise than' : 'is not better beyond noise than';
    reasons.push(`${other.candidate.settings} ${verdict} ${chosen.candidate.settings}: ${figures}.`);
    if (isBetter) chosen = other;
  }
  return { chosen, reasons };
}

/** Quality of log units of the validation rows, whatever they come from. */
export function judgeLogUnitsOf(logUnits: Float64Array, { split, family, seed }: Judging): DemandQuality {
  const units = Float64Array.from(split.validate, (row) => row.units);
  return family === 'gaussian' ? judgeSales(logUnits, units, seed) : judgeCounts(logUnits, units, seed);
}

function judgeSales(logUnits: Float64Array, units: Float64Array, seed: number): DemandQuality {
  const actual = units.map(Math.log);
  const losses = squaredErrors(actual, logUnits);
  const smearing = mean(actual.map((y, i) => Math.exp(y - (logUnits[i] ?? 0))));
  return {
    losses,
    metrics: {
      'rmse log units': measuredRootMean(losses, { seed }),
      'mae log units': measuredMean(absoluteErrors(actual, logUnits), { seed }),
    },
    smearing,
    residualSd: Math.sqrt(mean(losses)),
  };
}

/** The spread is that of a log-normal with the counts' coefficient of variation: sd² = ln(1 + dispersion / mean). */
function judgeCounts(logUnits: Float64Array, units: Float64Array, seed: number): DemandQuality {
  const expected = logUnits.map(Math.exp);
  const losses = units.map((y, i) => {
    const mu = expected[i] ?? 0;
    return 2 * ((y > 0 ? y * Math.log(y / mu) : 0) - (y - mu));
  });
  const smearing = Math.max(1e-9, mean(units)) / mean(expected);
  const dispersion = mean(
    units.map((y, i) => (y - smearing * (expected[i] ?? 0)) ** 2 / (smearing * (expected[i] ?? 1))),
  );
  return {
    losses,
    metrics: {
      'poisson deviance': measuredMean(losses, { seed }),
      'mae units': measuredMean(
        absoluteErrors(
          units,
          expected.map((mu) => smearing * mu),
        ),
        { seed },
      ),
    },
    smearing,
    residualSd: Math.sqrt(Math.log1p(dispersion / Math.max(1e-9, mean(units)))),
  };
}
