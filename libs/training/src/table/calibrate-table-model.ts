import type { ScoreSpec } from '@sextant/artefacts';
import { chooseBands, reliabilityBins, scoreQuantiles } from '@sextant/learning';
import { applyCalibration, type Calibration, chooseCalibration } from '@sextant/learning/calibration';
import { countPositives, takeExamples, type TableExamples } from './table-examples.js';
import type { TunedTableFamily } from './table-model.js';
import { foldsByGroup } from './split-examples.js';

const FOLDS = 5;

export interface TableCalibration extends Pick<ScoreSpec, 'bands' | 'quantiles' | 'reliability'> {
  calibration: Calibration;
  /** Which calibration was chosen and why, in words. */
  reason: string;
  /** What it was chosen on: calibrated probabilities of rows that their fit had not seen, with their labels. */
  held: { probabilities: Float64Array; labels: Uint8Array };
}

/**
 * Calibration of the model that is fitted on all rows, from margins that never saw their own group: five folds, each scored
 * by a model fitted on the other four.
 *
 * @param rows  the rows to calibrate on: the latest ones where the split is by time, else all
 */
export async function calibrateTableModel(
  tuned: TunedTableFamily,
  data: TableExamples,
  options: { rows: readonly number[]; seed: number },
): Promise<TableCalibration> {
  const folds = foldsByGroup(data, FOLDS, options.seed + 1);
  const margins = new Float64Array(data.labels.length);
  for (let fold = 0; fold < FOLDS; fold++) {
    const held = options.rows.filter((row) => folds[row] === fold);
    if (held.length === 0) continue;
    const others = Array.from(folds.keys()).filter((row) => folds[row] !== fold);
    const model = await tuned.fit(takeExamples(data, others));
    const scored = model.margins(takeExamples(data, held).table);
    for (const [i, row] of held.entries()) margins[row] = scored[i] ?? 0;
  }
  const labels = Uint8Array.from(options.rows, (row) => data.labels[row] ?? 0);
  const held = Float64Array.from(options.rows, (row) => margins[row] ?? 0);
  const { calibration, reason } = chooseCalibration(held, labels, options.seed);
  const probabilities = held.map((margin) => applyCalibration(calibration, margin));
  return {
    calibration,
    reason,
    held: { probabilities, labels },
    bands: chooseBands(countPositives(labels) / labels.length),
    quantiles: scoreQuantiles(probabilities),
    reliability: reliabilityBins(probabilities, labels),
  };
}
