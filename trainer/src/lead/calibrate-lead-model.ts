import type { ScoreSpec } from '@sextant/artefacts';
import {
  applyPlatt,
  chooseBands,
  fitPlatt,
  type Platt,
  reliabilityBins,
  scoreQuantiles,
} from '@sextant/learning';
import { countPositives, type LeadData, takeLeads } from './lead-example.js';
import type { TunedLeadFamily } from './lead-model.js';
import { foldsByCustomer } from './lead-split.js';

const FOLDS = 5;

export interface LeadCalibration extends Pick<ScoreSpec, 'bands' | 'quantiles' | 'reliability'> {
  platt: Platt;
}

/**
 * Calibration of the model that is fitted on all rows, from margins that never saw their own customer: five folds, each scored
 * by a model fitted on the other four.
 *
 * @param rows  the rows to calibrate on: the latest ones where the split is by time, else all
 */
export async function calibrateLeadModel(
  tuned: TunedLeadFamily,
  data: LeadData,
  options: { rows: readonly number[]; seed: number },
): Promise<LeadCalibration> {
  const folds = foldsByCustomer(data, FOLDS, options.seed + 1);
  const margins = new Float64Array(data.labels.length);
  for (let fold = 0; fold < FOLDS; fold++) {
    const held = options.rows.filter((row) => folds[row] === fold);
    if (held.length === 0) continue;
    const others = Array.from(folds.keys()).filter((row) => folds[row] !== fold);
    const model = await tuned.fit(takeLeads(data, others));
    const scored = model.margins(takeLeads(data, held).table);
    for (const [i, row] of held.entries()) margins[row] = scored[i] ?? 0;
  }
  const labels = Uint8Array.from(options.rows, (row) => data.labels[row] ?? 0);
  const held = Float64Array.from(options.rows, (row) => margins[row] ?? 0);
  const platt = fitPlatt(held, labels);
  const probabilities = held.map((margin) => applyPlatt(platt, margin));
  return {
    platt,
    bands: chooseBands(countPositives(labels) / labels.length),
    quantiles: scoreQuantiles(probabilities),
    reliability: reliabilityBins(probabilities, labels),
  };
}
