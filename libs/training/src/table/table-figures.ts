import type { Measured } from '@sextant/artefacts';
import { brierScores, logLosses, measuredAuc, measuredMean } from '@sextant/learning';
import { measuredCalibrationError } from '@sextant/learning/calibration';
import { measuredAveragePrecision, measuredLift } from '@sextant/learning/metrics';

export const TOP_SHARE = 0.1;
const LEVEL = 0.95;

/** What is measured of probabilities, each with a bootstrap interval of 95 % over rows. */
export function tableFigures(
  labels: Uint8Array,
  probabilities: Float64Array,
  seed: number,
): Record<string, Measured> {
  const options = { seed, level: LEVEL };
  const input = { labels, scores: probabilities };
  return {
    auc: measuredAuc(labels, probabilities, options),
    prAuc: measuredAveragePrecision(input, options),
    logLoss: measuredMean(logLosses(labels, probabilities), options),
    brier: measuredMean(brierScores(labels, probabilities), options),
    ece: measuredCalibrationError({ labels, probabilities }, options),
    'lift@10%': measuredLift(input, TOP_SHARE, options),
  };
}
