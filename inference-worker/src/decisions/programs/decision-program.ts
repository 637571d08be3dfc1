import type { TensorArray } from '../../tensors/tensor.js';
import type { WireReader } from '../wire/wire-reader.js';
import type { WireWriter } from '../wire/wire-writer.js';

/** The calls of `sextant.inference.v1.Decisions`; the number travels to the threads. */
export const RPCS = [
  'Recommend',
  'QuotePrices',
  'PredictDemand',
  'ScoreLeads',
  'ForecastValue',
  'ChooseActions',
] as const;
export type Rpc = (typeof RPCS)[number];

/** Rows of one caller, as a request message of the call that holds these rows only. */
export interface Part {
  rpc: Rpc;
  request: WireReader;
  /** row of the caller's request at which the part begins, for errors that name a row */
  firstRow: number;
  /** false: decides nothing (a replay, a what-if), so that it is not watched */
  isCounted: boolean;
}

/** What a part wants to know of the model. */
export interface Question {
  /** rows of the model's input; 0 where the answer needs no run */
  rows: number;
  /** Fills its rows of the input, from row `at` on. */
  write(input: TensorArray, at: number): void;
  /**
   * Writes a response message without `served_by`.
   *
   * @param output  the model's first output for its rows
   */
  answer(output: TensorArray, writer: WireWriter): void;
}

/** Turns requests of one task into rows of its model, and the model's output into answers. It runs on an inference thread. */
export interface DecisionProgram {
  /**
   * All parts of one batch, so that the way they are run can be chosen for them together.
   *
   * @returns one question a part, or why the part is refused
   */
  ask(parts: readonly Part[]): (Question | Error)[];
}

/** Asks part by part; what one part throws is its own. */
export function askEach(parts: readonly Part[], ask: (part: Part) => Question): (Question | Error)[] {
  return parts.map((part) => {
    try {
      return ask(part);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  });
}
