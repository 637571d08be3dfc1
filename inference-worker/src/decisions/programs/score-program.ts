import type { ScoreSpec, ScoreTask } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { type Band, bandOf, logit, percentileOf, scoreInterval, type ColumnTable } from '@sextant/learning';
import type { Explainer } from '@sextant/learning/explain';
import type { DecisionCounter } from '../../monitoring/decision-counter.js';
import type { WireReader } from '../wire/wire-reader.js';
import type { WireWriter } from '../wire/wire-writer.js';
import { AttributionWriter } from './attribution.js';
import { askEach, type DecisionProgram, type Part, type Question } from './decision-program.js';
import { readFeatureTable, writeEncoded } from './feature-table.js';

const INTERVAL_LEVEL = 0.9;
const FLOAT32_EPSILON = 2 ** -24;

/** A lead has a temperature, a risk and a likelihood have a height. */
const HEIGHTS = { COLD: 'LOW', WARM: 'MEDIUM', HOT: 'HIGH' } as const;
const BAND_NAMES: Readonly<Record<ScoreTask, Readonly<Record<Band, string>>>> = {
  lead: { COLD: 'COLD', WARM: 'WARM', HOT: 'HOT' },
  churn: HEIGHTS,
  purchase: HEIGHTS,
};

interface ScoreRequest {
  table: ColumnTable;
  explain: boolean;
  /** wanted of each attribution; 0: all */
  contributions: number;
}

interface Attributable extends Pick<ScoreRequest, 'table' | 'contributions'> {
  /** null: nothing is to be attributed */
  encoded: Float32Array | null;
}

/** `ScoreLeads`: calibrated probability of each row, with the interval of its reliability bin; which score it is, the model says. */
export class ScoreProgram implements DecisionProgram {
  constructor(
    private readonly spec: ScoreSpec,
    private readonly explainer: Explainer | null,
    private readonly counter: DecisionCounter | null,
  ) {}

  ask(parts: readonly Part[]): (Question | Error)[] {
    return askEach(parts, (part) => this.askOne(part));
  }

  private askOne({ request, isCounted }: Part): Question {
    const { table, explain, contributions } = readScoreRequest(request);
    let encoded: Float32Array = new Float32Array();
    return {
      rows: table.rows,
      write: (input, at) => {
        encoded = writeEncoded(this.spec.table, table, input, at);
      },
      answer: (output, writer) => {
        const probability = output as Float32Array;
        this.answer(writer, { table, encoded: explain ? encoded : null, contributions }, probability);
        if (isCounted) this.counter?.count({ table, scores: { probability } });
      },
    };
  }

  private answer(
    writer: WireWriter,
    { table, encoded, contributions }: Attributable,
    probabilities: Float32Array,
  ): void {
    refuseNoProbability(probabilities);
    const { spec, explainer } = this;
    const explanations = encoded ? explainer?.explainRows(encoded, table.rows) : undefined;
    const attributions =
      explainer && explanations ? new AttributionWriter(explainer, table, contributions) : null;
    for (const [row, probability] of probabilities.entries()) {
      const start = writer.begin(2);
      const [low, high] = scoreInterval(spec.reliability, probability, INTERVAL_LEVEL);
      writer.double(1, probability);
      writer.double(2, low);
      writer.double(3, high);
      writer.double(4, INTERVAL_LEVEL);
      writer.text(5, BAND_NAMES[spec.task][bandOf(spec.bands, probability)]);
      writer.double(6, percentileOf(spec.quantiles, probability));
      const explanation = explanations?.[row];
      if (attributions && explanation) {
        const explained = finiteLogit(probability);
        attributions.write(writer, 7, { explanation, row, explained, move: null });
      }
      writer.end(start);
    }
    writer.double(3, spec.horizonDays);
  }
}

/** What is no probability is no answer: the caller falls back, and the version is counted as failing. */
function refuseNoProbability(probabilities: Float32Array): void {
  const row = probabilities.findIndex((probability) => !(probability >= 0 && probability <= 1));
  if (row < 0) return;
  const message = `row ${row}: the model answered ${probabilities[row]}, which is no probability in [0, 1]`;
  throw new DomainError('INFERENCE_FAILED', message);
}

/** `ScoreLeadsRequest` and, but for what is to be explained, `ChooseActionsRequest`. */
export function readScoreRequest(request: WireReader): ScoreRequest {
  let table: ColumnTable = { rows: 0, columns: [] };
  let explain = false;
  let contributions = 0;
  while (request.next()) {
    if (request.field === 3) table = readFeatureTable(request.message(), 'rows');
    else if (request.field === 4) explain = request.bool();
    else if (request.field === 5) contributions = request.uint32();
    else request.skip();
  }
  return { table, explain, contributions };
}

/** Log-odds of a probability in single precision, which may have been rounded to 0 or 1. */
function finiteLogit(probability: number): number {
  return logit(Math.min(1 - FLOAT32_EPSILON, Math.max(FLOAT32_EPSILON, probability)));
}
