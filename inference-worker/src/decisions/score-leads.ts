import type { Decoded, LeadScore, ScoreLeadsRequest, ScoreLeadsResponse } from '@sextant/inference-protocol';
import { bandOf, logit, percentileOf, scoreInterval } from '@sextant/learning';
import type { ModelRunner } from '../models/model-runner.js';
import type { CallContext } from '../transport/call-context.js';
import { attributionOf } from './attribution.js';
import { encodedRows, readFeatureTable } from './feature-table.js';
import { servedBy } from './served-by.js';
import { taskOf } from './task-of.js';

const INTERVAL_LEVEL = 0.9;
const FLOAT32_EPSILON = 2 ** -24;

/** Calibrated conversion probability of each row, with the interval of its reliability bin. */
export function scoreLeads(
  runner: ModelRunner,
  request: Decoded<ScoreLeadsRequest>,
  context: CallContext,
): Promise<ScoreLeadsResponse> {
  return runner.with(request, context, async (served) => {
    const { spec, explainer } = taskOf(served, 'lead');
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
        band: bandOf(spec.bands, probability),
        percentile: percentileOf(spec.quantiles, probability),
        attribution,
      };
    });
    return { servedBy: servedBy(served, scored), scores };
  });
}

/** Log-odds of a probability in single precision, which may have been rounded to 0 or 1. */
function finiteLogit(probability: number): number {
  return logit(Math.min(1 - FLOAT32_EPSILON, Math.max(FLOAT32_EPSILON, probability)));
}
