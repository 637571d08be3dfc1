import type { UpliftSpec } from '@sextant/artefacts';
import type { DecisionCounter } from '../../monitoring/decision-counter.js';
import { float64Data, type WireWriter } from '../wire/wire-writer.js';
import { askEach, type DecisionProgram, type Part, type Question } from './decision-program.js';
import { writeEncoded } from './feature-table.js';
import { readScoreRequest } from './score-program.js';

/** Of the reliability bins. */
const INTERVAL_LEVEL = 0.9;

/** `ChooseActions`: what each action would change for each row, with the effect that the experiment showed among customers of that prediction. */
export class ActionsProgram implements DecisionProgram {
  constructor(
    private readonly spec: UpliftSpec,
    private readonly counter: DecisionCounter | null,
  ) {}

  ask(parts: readonly Part[]): (Question | Error)[] {
    return askEach(parts, ({ request, isCounted }) => {
      const { table } = readScoreRequest(request);
      return {
        rows: table.rows,
        write: (input, at) => void writeEncoded(this.spec.table, table, input, at),
        answer: (output, writer) => {
          const effects = this.answer(output as Float32Array, writer);
          if (isCounted) this.counter?.count({ table, scores: scoresOf(this.spec, effects) });
        },
      };
    });
  }

  private answer(probabilities: Float32Array, writer: WireWriter): Effects {
    const { goal, outcome, actions, refused } = this.spec;
    for (const { id, channel, cost } of actions) {
      const start = writer.begin(2);
      writer.text(1, id);
      writer.text(2, channel ?? '');
      writer.double(3, cost);
      writer.end(start);
    }
    for (const { action, channel, because } of refused) {
      const start = writer.begin(3);
      writer.text(1, action);
      writer.text(2, channel ?? '');
      writer.text(3, because);
      writer.end(start);
    }
    const effects = effectsOf(this.spec, probabilities);
    const { without, uplift, low, high } = effects;
    [without, uplift, low, high].forEach((column, i) => writer.data(4 + i, float64Data(column)));
    writer.double(8, INTERVAL_LEVEL);
    writer.text(9, goal);
    writer.double(10, outcome.horizonDays);
    writer.double(11, outcome.value);
    writer.text(12, outcome.currency ?? '');
    writer.double(13, outcome.sureFrom);
    return effects;
  }
}

/** By row; uplift and its bounds by row and action. */
interface Effects {
  without: Float64Array;
  uplift: Float64Array;
  low: Float64Array;
  high: Float64Array;
}

/** What is watched: the outcome without an action, and what each action adds. */
function scoresOf({ actions }: UpliftSpec, { without, uplift }: Effects): Record<string, Float64Array> {
  const scores: Record<string, Float64Array> = { without };
  for (const [a, { id }] of actions.entries())
    scores[`uplift.${id}`] = without.map((_, row) => uplift[row * actions.length + a] ?? Number.NaN);
  return scores;
}

/** @param probabilities  row-major [rows, 1 + actions] */
function effectsOf({ actions }: UpliftSpec, probabilities: Float32Array): Effects {
  const width = 1 + actions.length;
  const rows = probabilities.length / width;
  const without = Float64Array.from({ length: rows }, (_, row) => probabilities[row * width] ?? 0);
  const column = (): Float64Array => new Float64Array(rows * actions.length);
  const effects = { without, uplift: column(), low: column(), high: column() };
  for (let row = 0; row < rows; row++) {
    for (const [a, action] of actions.entries()) {
      const at = row * actions.length + a;
      const effect = (probabilities[row * width + a + 1] ?? 0) - (without[row] ?? 0);
      const interval = effectInterval(action, effect);
      effects.uplift[at] = effect;
      effects.low[at] = interval.low;
      effects.high[at] = interval.high;
    }
  }
  return effects;
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
