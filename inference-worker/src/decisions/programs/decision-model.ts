import type { Manifest, PriceSpec } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { type Explainer, parseExplainer } from '@sextant/learning/explain';
import { type CounterPlan, DecisionCounter } from '../../monitoring/decision-counter.js';
import type { HourCounts } from '../../monitoring/hour-counts.js';
import type { Job, JobResult } from '../../onnx/thread-messages.js';
import { allocateTensor, type Tensor, type TensorArray, type TensorSpec } from '../../tensors/tensor.js';
import {
  packAnswers,
  type PartAnswer,
  type PartRequest,
  unpackRequests,
  writeFailure,
} from '../wire/part-messages.js';
import { WireReader } from '../wire/wire-reader.js';
import { WireWriter } from '../wire/wire-writer.js';
import { ActionsProgram } from './actions-program.js';
import { type DecisionProgram, type Part, type Question, type Rpc, RPCS } from './decision-program.js';
import { DemandProgram } from './demand-program.js';
import { QuoteProgram } from './quote-program.js';
import { RecommendProgram } from './recommend-program.js';
import { ScoreProgram } from './score-program.js';
import { customerModel, sessionModel } from './slate-model.js';
import type { RunRows } from './sparse-scorer.js';
import { ValueProgram } from './value-program.js';

/** What an inference thread needs to answer the decisions of a model, besides its session. */
export interface DecisionSource {
  spec: Manifest['spec'];
  /** float32, held once for all threads; null where the task has none */
  weights: SharedArrayBuffer | null;
  /** rows in one run of the session */
  maxRows: number;
  /** what is counted of its decisions; null: nothing */
  counted: CounterPlan | null;
}

/** The ONNX model on this thread. */
export interface RowRunner {
  inputs: readonly TensorSpec[];
  /** whether it computes on a CPU, like what is summed along sparse rows */
  isOnCpu: boolean;
  run(request: Pick<Job, 'rows' | 'inputs'>): Promise<JobResult>;
}

/** An answer is a little longer than the one before now and then. */
const SPARE = 1.2;
const SPARE_BYTES = 1_024;

type Programs = Partial<Record<Rpc, DecisionProgram>>;

/** Answers the decisions of one model on an inference thread: decodes, runs, decides and encodes. */
export class DecisionModel {
  /** of the answers before, for the memory of the next */
  private bytesOfRow = 0;

  private constructor(
    private readonly programs: Programs,
    private readonly runner: RowRunner,
    private readonly maxRows: number,
    private readonly counter: DecisionCounter | null,
  ) {}

  /** @param explainer  JSON of the artefact's explainer; its first explanation, which builds tables, is made here */
  static async open(
    { spec, weights, maxRows, counted }: DecisionSource,
    explainer: string | null,
    runner: RowRunner,
  ): Promise<DecisionModel> {
    const parsed = explainer === null ? null : warmExplainer(explainer, runner.inputs[0]?.width ?? 0);
    const counter = counted === null ? null : new DecisionCounter(counted);
    const programs = await programsOf(spec, { weights, explainer: parsed, runner, counter });
    return new DecisionModel(programs, runner, maxRows, counter);
  }

  /** What was counted of the decisions since the last call. @param key  names the version */
  takeCounts(key: string): HourCounts[] {
    return this.counter?.take(key) ?? [];
  }

  /**
   * Answers the parts of a job that `packRequests` made.
   *
   * @returns what `unpackAnswer` reads; a part that is refused is said there and costs the others nothing
   * @throws Error when the session itself fails
   */
  async answer(job: Job): Promise<JobResult> {
    const startedAt = performance.now();
    const requests = unpackRequests(job.inputs);
    const questions = this.ask(requests);
    const { output, rows } = await this.run(
      questions.filter((each): each is Question => !(each instanceof Error)),
    );
    const asked = requests.reduce((sum, each) => sum + each.rows, 0);
    const writer = new WireWriter(Math.ceil(SPARE * this.bytesOfRow * asked) + SPARE_BYTES);
    const width = rows === 0 ? 0 : output.length / rows;
    let from = 0;
    const answers = questions.map((question, i): PartAnswer => {
      const at = requests[i]?.at ?? 0;
      if (question instanceof Error) return { at, ...refused(question, writer) };
      const own = output.subarray(from * width, (from + question.rows) * width);
      from += question.rows;
      return { at, ...answered(question, own, writer) };
    });
    this.bytesOfRow = writer.length / asked;
    const together = rows > 0 ? Math.min(rows, this.maxRows) : asked;
    return { outputs: packAnswers(writer, answers, together), computeMs: performance.now() - startedAt };
  }

  private ask(requests: readonly PartRequest[]): (Question | Error)[] {
    const questions = new Array<Question | Error>(requests.length).fill(
      new Error('the model has no such call'),
    );
    for (const [number, rpc] of RPCS.entries()) {
      const own = requests.flatMap((each, i) => (each.rpc === number ? [i] : []));
      const parts = own.flatMap((i): Part[] => {
        const each = requests[i];
        if (!each) return [];
        const { firstRow, isCounted } = each;
        return [{ rpc, request: new WireReader(each.bytes), firstRow, isCounted }];
      });
      if (parts.length === 0) continue;
      this.programs[rpc]?.ask(parts).forEach((question, k) => (questions[own[k] ?? 0] = question));
    }
    return questions;
  }

  /** All questions' rows, in runs of at most `maxRows`. */
  private async run(questions: readonly Question[]): Promise<{ output: TensorArray; rows: number }> {
    const rows = questions.reduce((sum, question) => sum + question.rows, 0);
    const [spec] = this.runner.inputs;
    if (rows === 0 || !spec) return { output: new Float32Array(), rows: 0 };
    const input = allocateTensor(spec, rows);
    let at = 0;
    for (const question of questions) {
      question.write(input, at);
      at += question.rows;
    }
    const outputs: TensorArray[] = [];
    for (let from = 0; from < rows; from += this.maxRows) {
      const count = Math.min(this.maxRows, rows - from);
      const data = input.subarray(from * spec.width, (from + count) * spec.width);
      outputs.push(await runWhole(this.runner, spec, data, count));
    }
    return { output: joined(outputs), rows };
  }
}

async function programsOf(
  spec: Manifest['spec'],
  parts: {
    weights: SharedArrayBuffer | null;
    explainer: Explainer | null;
    runner: RowRunner;
    counter: DecisionCounter | null;
  },
): Promise<Programs> {
  const { explainer, runner, counter } = parts;
  switch (spec.task) {
    case 'recommend':
    case 'session': {
      const weights = new Float32Array(parts.weights ?? new SharedArrayBuffer(0));
      const model = spec.task === 'recommend' ? customerModel(spec, weights) : sessionModel(spec, weights);
      const { isOnCpu } = runner;
      return {
        Recommend: await RecommendProgram.open(model, runRowsOf(runner), { isSparse: isOnCpu, counter }),
      };
    }
    case 'lead':
    case 'churn':
    case 'purchase':
      return { ScoreLeads: new ScoreProgram(spec, explainer, counter) };
    case 'price':
      return pricePrograms(spec, explainer, counter);
    case 'lifetime':
      return { ForecastValue: new ValueProgram(spec, counter) };
    case 'uplift':
      return { ChooseActions: new ActionsProgram(spec, counter) };
  }
}

function pricePrograms(
  spec: PriceSpec,
  explainer: Explainer | null,
  counter: DecisionCounter | null,
): Programs {
  return { QuotePrices: new QuoteProgram(spec, explainer, counter), PredictDemand: new DemandProgram(spec) };
}

function warmExplainer(json: string, width: number): Explainer {
  const explainer = parseExplainer(json);
  explainer.explainRows(new Float32Array(width), 1);
  return explainer;
}

function runRowsOf(runner: RowRunner): RunRows {
  const rowShape = runner.inputs[0]?.rowShape ?? [];
  return async (data, rows) =>
    (await runOnce(runner, { data, dims: [rows, ...rowShape] }, rows)) as Float32Array;
}

/** The longest vector of doubles that a CPU computes on. */
const DOUBLES_TOGETHER = 8;

/**
 * Doubles are computed several at once, and what is left over in another way, which differs in the last bits: rows that repeat the last
 * one make whole vectors, so that an answer does not depend on how many others were asked with it.
 */
async function runWhole(
  runner: RowRunner,
  { datatype, width, rowShape }: TensorSpec,
  data: TensorArray,
  rows: number,
): Promise<TensorArray> {
  const missing = datatype === 'FP64' ? (DOUBLES_TOGETHER - (rows % DOUBLES_TOGETHER)) % DOUBLES_TOGETHER : 0;
  if (missing === 0 || !(data instanceof Float64Array)) {
    return runOnce(runner, { data, dims: [rows, ...rowShape] }, rows);
  }
  const padded = new Float64Array((rows + missing) * width);
  padded.set(data);
  for (let row = rows; row < rows + missing; row++) {
    padded.copyWithin(row * width, (rows - 1) * width, rows * width);
  }
  const output = await runOnce(runner, { data: padded, dims: [rows + missing, ...rowShape] }, rows + missing);
  return output.subarray(0, (output.length / (rows + missing)) * rows);
}

async function runOnce(runner: RowRunner, input: Tensor, rows: number): Promise<TensorArray> {
  const { outputs } = await runner.run({ rows, inputs: [input] });
  const data = outputs[0]?.data;
  if (data === undefined || Array.isArray(data)) throw new Error('the model gave no numbers');
  return data;
}

function joined(pieces: readonly TensorArray[]): TensorArray {
  const [first] = pieces;
  if (first === undefined || pieces.length === 1) return first ?? new Float32Array();
  const Typed = first.constructor as new (elements: number) => Float32Array<ArrayBuffer>;
  const all = new Typed(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece as Float32Array, at);
    at += piece.length;
  }
  return all;
}

type Written = Pick<PartAnswer, 'failure' | 'end'>;

/** Some rows are seen to be impossible only when the model has answered them. */
function answered(question: Question, output: TensorArray, writer: WireWriter): Written {
  const start = writer.length;
  try {
    question.answer(output, writer);
    return { failure: null, end: writer.length };
  } catch (error) {
    writer.truncate(start);
    return refused(error, writer);
  }
}

function refused(error: unknown, writer: WireWriter): Written {
  const failure = refusalOf(error);
  writeFailure(writer, failure);
  return { failure, end: writer.length };
}

/** What a caller may read of it; anything but a DomainError is a bug of ours and fails the whole job, loudly. */
function refusalOf(error: unknown): DomainError {
  if (!(error instanceof DomainError)) throw error;
  return error;
}
