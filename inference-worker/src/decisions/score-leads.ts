import type { ScoreTask } from '@sextant/artefacts';
import type { Decoded, LeadScore, ScoreLeadsRequest, ScoreLeadsResponse } from '@sextant/inference-protocol';
import { type Band, bandOf, logit, percentileOf, scoreInterval } from '@sextant/learning';
import type { ModelRunner } from '../models/model-runner.js';
import type { CallContext } from '../transport/call-context.js';
import { attributionOf } from './attribution.js';
import { encodedRows, readFeatureTable } from './feature-table.js';
import { servedBy } from './served-by.js';
import { taskOf } from './task-of.js';

const INTERVAL_LEVEL = 0.9;
const FLOAT32_EPSILON = 2 ** -24;

/** A lead has a temperature, a risk and a likelihood have a height. */
const HEIGHTS = { COLD: 'LOW', WARM: 'MEDIUM', HOT: 'HIGH' } as const;
const BAND_NAMES: Readonly<Record<ScoreTask, Readonly<Record<Band, string>>>> = {
  lead: { COLD: 'COLD', WARM: 'WARM', HOT: 'HOT' },
  churn: HEIGHTS,
  purchase: HEIGHTS,
};

/** Calibrated probability of each row, with the interval of its reliability bin; which score it is, the model says. */
export function scoreLeads(
  runner: ModelRunner,
  request: Decoded<ScoreLeadsRequest>,
  context: CallContext,
): Promise<ScoreLeadsResponse> {
  return runner.with(request, context, async (served) => {
    const { spec, explainer } = taskOf(served, 'lead', 'churn', 'purchase');
    const table = readFeatureTable(request.rows, 'rows');
    runner.assertRowCount(table.rows, 'rows');
    const rows = encodedRows(spec.table, table);
    const [scored, explained] = await Promise.all([
      runner.run(served.score, rows, context),
      request.explain && served.explain ? runner.run(served.explain, rows, context) : null,
    ]);
    const probabilities = scored.outputs[0] as Float32Array;
    const values = explained?.outputs[0] as Float64Array | undefined;
    const width = explainer.columns.length + 1;
    const scores = Array.from(probabilities, (probability, row): LeadScore => {
      const [low, high] = scoreInterval(spec.reliability, probability, INTERVAL_LEVEL);
      const attribution = values
        ? attributionOf(explainer, values.subarray(row * width, (row + 1) * width), {
            table,
            row,
            explained: finiteLogit(probability),
          })
        : null;
      return {
        probability,
        low,
        high,
        intervalLevel: INTERVAL_LEVEL,
        band: BAND_NAMES[spec.task][bandOf(spec.bands, probability)],
        percentile: percentileOf(spec.quantiles, probability),
        attribution,
      };
    });
    return { servedBy: servedBy(served, scored), scores, horizonDays: spec.horizonDays };
  });
}

/** Log-odds of a probability in single precision, which may have been rounded to 0 or 1. */
function finiteLogit(probability: number): number {
  return logit(Math.min(1 - FLOAT32_EPSILON, Math.max(FLOAT32_EPSILON, probability)));
}
