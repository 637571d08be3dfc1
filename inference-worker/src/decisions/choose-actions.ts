import type { UpliftSpec } from '@sextant/artefacts';
import {
  type ChooseActionsRequest,
  type ChooseActionsResponse,
  type Decoded,
  float64Bytes,
} from '@sextant/inference-protocol';
import type { ModelRunner } from '../models/model-runner.js';
import type { CallContext } from '../transport/call-context.js';
import { encodedRows, readFeatureTable } from './feature-table.js';
import { servedBy } from './served-by.js';
import { taskOf } from './task-of.js';

/** Of the reliability bins. */
const INTERVAL_LEVEL = 0.9;

/** What each action would change for each row, with the effect that the experiment showed among customers of that prediction. */
export function chooseActions(
  runner: ModelRunner,
  request: Decoded<ChooseActionsRequest>,
  context: CallContext,
): Promise<ChooseActionsResponse> {
  return runner.with(request, context, async (served) => {
    const { spec } = taskOf(served, 'uplift');
    const table = readFeatureTable(request.rows, 'rows');
    runner.assertRowCount(table.rows, 'rows');
    const result = await runner.run(served.score, encodedRows(spec.table, table), context);
    const { goal, outcome, actions, refused } = spec;
    return {
      servedBy: servedBy(served, result),
      actions: actions.map(({ id, channel, cost }) => ({ id, channel: channel ?? '', cost })),
      refused: refused.map(({ action, channel, because }) => ({
        id: action,
        channel: channel ?? '',
        because,
      })),
      ...effectsOf(spec, result.outputs[0] as Float32Array),
      intervalLevel: INTERVAL_LEVEL,
      goal,
      horizonDays: outcome.horizonDays,
      outcomeValue: outcome.value,
      currency: outcome.currency ?? '',
      sureFrom: outcome.sureFrom,
    };
  });
}

type Effects = Pick<ChooseActionsResponse, 'without' | 'uplift' | 'upliftLow' | 'upliftHigh'>;

/** @param probabilities  row-major [rows, 1 + actions] */
function effectsOf({ actions }: UpliftSpec, probabilities: Float32Array): Effects {
  const width = 1 + actions.length;
  const rows = probabilities.length / width;
  const without = Float64Array.from({ length: rows }, (_, row) => probabilities[row * width] ?? 0);
  const [uplift, low, high] = [0, 1, 2].map(() => new Float64Array(rows * actions.length));
  for (let row = 0; row < rows; row++) {
    for (const [a, action] of actions.entries()) {
      const at = row * actions.length + a;
      const effect = (probabilities[row * width + a + 1] ?? 0) - (without[row] ?? 0);
      const interval = effectInterval(action, effect);
      uplift?.set([effect], at);
      low?.set([interval.low], at);
      high?.set([interval.high], at);
    }
  }
  const bytes = (values: Float64Array | undefined): Buffer => float64Bytes(values ?? new Float64Array());
  return {
    without: float64Bytes(without),
    uplift: bytes(uplift),
    upliftLow: bytes(low),
    upliftHigh: bytes(high),
  };
}

/** Of the bin that the prediction falls into, widened where needed so that it holds the prediction. */
function effectInterval(
  { reliability }: UpliftSpec['actions'][number],
  effect: number,
): { low: number; high: number } {
  const bin = reliability.find(({ upTo }) => effect <= upTo) ?? reliability.at(-1);
  if (bin === undefined) return { low: -1, high: 1 };
  return { low: Math.min(bin.low, effect), high: Math.max(bin.high, effect) };
}
