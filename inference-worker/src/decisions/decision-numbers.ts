import type { BatchTiming, ResultSink } from '../scheduling/batch-lane.js';
import type { Tensor } from '../tensors/tensor.js';
import type { Rpc } from './programs/decision-program.js';
import { unpackAnswer } from './wire/part-messages.js';
import { WIRE, WireReader } from './wire/wire-reader.js';

/** More of one part are not looked at: this runs on the main thread. */
const MOST_NUMBERS = 2_000;

/** Fields from the response down to the number that each row's answer is about; of column responses the field of the column. */
const PATHS: Readonly<Record<Rpc, readonly number[]>> = {
  // slates, items, score
  Recommend: [2, 1, 2],
  // quotes, price_minor
  QuotePrices: [2, 1],
  // expected_units
  PredictDemand: [3],
  // scores, probability
  ScoreLeads: [2, 1],
  // value
  ForecastValue: [4],
  // uplift
  ChooseActions: [5],
};

/** The numbers that the answers to a call are about, in the order of its rows, so that two versions can be compared. */
export class DecisionNumbers implements ResultSink {
  private readonly parts: { from: number; numbers: Float64Array }[] = [];

  constructor(
    private readonly rpc: Rpc,
    private readonly resolve: (numbers: Float64Array<ArrayBuffer>, timing: BatchTiming) => void,
    readonly fail: (error: unknown) => void,
  ) {}

  take(outputs: readonly Tensor[], { from, at }: { from: number; at: number }): void {
    this.parts.push({ from, numbers: numbersOf(this.rpc, unpackAnswer(outputs, at).bytes) });
  }

  done(timing: BatchTiming): void {
    const ordered = this.parts.toSorted((a, b) => a.from - b.from);
    this.resolve(Float64Array.from(ordered.flatMap(({ numbers }) => [...numbers])), timing);
  }
}

/** @param message  a response message */
export function numbersOf(rpc: Rpc, message: Uint8Array): Float64Array {
  const [field = 0, ...path] = PATHS[rpc];
  const reader = new WireReader(message);
  const numbers: number[] = [];
  while (numbers.length < MOST_NUMBERS && reader.next()) {
    if (reader.field !== field || reader.wireType !== WIRE.BYTES) reader.skip();
    else if (path.length === 0) return columnOf(reader.data());
    else collect(reader.message(), path, numbers);
  }
  return Float64Array.from(numbers);
}

function collect(message: WireReader, [field, ...path]: readonly number[], into: number[]): void {
  let number = 0;
  while (message.next()) {
    if (message.field !== field) message.skip();
    else if (path.length > 0) collect(message.message(), path, into);
    else number = message.wireType === WIRE.FIXED64 ? message.double() : message.int64();
  }
  // A number that is 0 is left out of the message.
  if (path.length === 0) into.push(number);
}

function columnOf(bytes: Uint8Array): Float64Array {
  const most = Math.min(MOST_NUMBERS, Math.floor(bytes.length / 8));
  return new Float64Array(new Uint8Array(bytes.subarray(0, 8 * most)).buffer);
}
