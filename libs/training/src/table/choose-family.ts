import type { Measured } from '@sextant/artefacts';
import {
  brierScores,
  crossFittedProbabilities,
  logLosses,
  measuredAuc,
  measuredMean,
  pairedDifference,
} from '@sextant/learning';
import { takeExamples, type TableExamples } from './table-examples.js';
import type { TableFamily, TunedTableFamily } from './table-model.js';
import type { ExampleSplit } from './split-examples.js';

/** A tuned family and how it does on the validation rows, calibrated by the other half of them. */
export interface Candidate {
  tuned: TunedTableFamily;
  metrics: { auc: Measured; logLoss: Measured; brier: Measured };
  /** Calibrated, of each validation row. */
  probabilities: Float64Array;
  /** Log-loss of each validation row. */
  losses: Float64Array;
}

export interface Choice {
  chosen: Candidate;
  baseline: Candidate;
  reason: string;
}

const LEVEL = 0.95;

/** Tunes on the split's first two parts, fits on both, measures on the third. */
export async function evaluateFamily(
  family: TableFamily,
  data: TableExamples,
  options: { split: ExampleSplit; seed: number },
): Promise<Candidate> {
  const { split, seed } = options;
  const tuned = await family.tune(takeExamples(data, split.fit), takeExamples(data, split.tune));
  const model = await tuned.fit(takeExamples(data, split.beforeValidation));
  const { table, labels } = takeExamples(data, split.validate);
  const margins = model.margins(table);
  const probabilities = crossFittedProbabilities(margins, labels);
  const losses = logLosses(labels, probabilities);
  const metrics = {
    auc: measuredAuc(labels, margins, { seed, level: LEVEL }),
    logLoss: measuredMean(losses, { seed, level: LEVEL }),
    brier: measuredMean(brierScores(labels, probabilities), { seed, level: LEVEL }),
  };
  return { tuned, metrics, probabilities, losses };
}

/**
 * The simpler model, unless the other's log-loss on the validation rows is lower beyond noise (paired bootstrap, 95 %).
 * Both are compared as they would be served: calibrated.
 */
export function chooseFamily(
  simpler: Candidate,
  other: Candidate,
  options: { seed: number; rows: string },
): Choice {
  const gain = pairedDifference(simpler.losses, other.losses, { seed: options.seed, level: LEVEL });
  const figures = `${gain.value.toFixed(4)} (95 % interval ${gain.low.toFixed(4)} to ${gain.high.toFixed(4)})`;
  const aucs = `AUC ${other.metrics.auc.value.toFixed(3)} against ${simpler.metrics.auc.value.toFixed(3)}`;
  const isBetter = gain.low > 0;
  return {
    chosen: isBetter ? other : simpler,
    baseline: simpler,
    reason: isBetter
      ? `LightGBM's log-loss on ${options.rows} is lower than the logistic baseline's by ${figures}; ${aucs}`
      : `the simpler model is kept: LightGBM's log-loss on ${options.rows} is not lower beyond noise, the difference is ${figures}; ${aucs}`,
  };
}
