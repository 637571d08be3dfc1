import { DomainError, type ErrorCode } from '@sextant/domain';
import type { Tensor } from '../../tensors/tensor.js';
import { WireWriter } from './wire-writer.js';

/** Rows of one caller within a job. */
export interface PartRequest {
  /** position in RPCS */
  rpc: number;
  /** row of the caller's request at which the part begins */
  firstRow: number;
  /** the caller's rows in it */
  rows: number;
  /** row of the batch at which the part begins; says whose it is */
  at: number;
  /** whether it is watched */
  isCounted: boolean;
  /** a request message */
  bytes: Uint8Array;
}

export interface PartAnswer {
  /** as the part's request has it */
  at: number;
  /** null: the answer is a response message */
  failure: DomainError | null;
  /** where the part ends among the answers */
  end: number;
}

const REQUEST_FIELDS = 6;
const ANSWER_FIELDS = 3;

/** A part whose message is still to be written. */
export interface PartDraft extends Omit<PartRequest, 'bytes'> {
  /** about how long the message will be */
  expectedBytes: number;
  write(writer: WireWriter): void;
}

/** One buffer of all messages and one of where each ends, to be handed over to a thread. */
export function packRequests(parts: readonly PartDraft[]): Tensor[] {
  const index = new Int32Array(parts.length * REQUEST_FIELDS);
  const writer = new WireWriter(parts.reduce((sum, { expectedBytes }) => sum + expectedBytes, 0));
  for (const [i, { rpc, firstRow, rows, at, isCounted, write }] of parts.entries()) {
    write(writer);
    index.set([rpc, firstRow, rows, at, isCounted ? 1 : 0, writer.length], i * REQUEST_FIELDS);
  }
  return [tensorOf(writer.written()), tensorOf(index)];
}

export function unpackRequests([messages, index]: readonly Tensor[]): PartRequest[] {
  const bytes = messages?.data;
  const fields = index?.data;
  if (!(bytes instanceof Uint8Array) || !(fields instanceof Int32Array)) {
    throw new RangeError('a job of decisions holds messages and their index');
  }
  let start = 0;
  return Array.from({ length: fields.length / REQUEST_FIELDS }, (_, i) => {
    const [rpc = 0, firstRow = 0, rows = 0, at = 0, counted = 0, end = 0] = fields.subarray(
      i * REQUEST_FIELDS,
    );
    const part = { rpc, firstRow, rows, at, isCounted: counted === 1, bytes: bytes.subarray(start, end) };
    start = end;
    return part;
  });
}

/** Writes why a part was refused in the place of its answer. */
export function writeFailure(writer: WireWriter, { code, message, path }: DomainError): void {
  writer.raw(Buffer.from(JSON.stringify({ code, message, path }), 'utf8'));
}

/**
 * @param writer     holds the answers one after the other
 * @param batchRows  rows that the model ran together, at most
 */
export function packAnswers(writer: WireWriter, answers: readonly PartAnswer[], batchRows: number): Tensor[] {
  const index = new Int32Array(answers.length * ANSWER_FIELDS);
  for (const [i, { at, failure, end }] of answers.entries()) {
    index.set([at, failure === null ? 0 : 1, end], i * ANSWER_FIELDS);
  }
  return [tensorOf(writer.written()), tensorOf(index), tensorOf(Int32Array.of(batchRows))];
}

/**
 * The answer to the part that began at row `at` of the batch, a view of the outputs.
 *
 * @throws DomainError what the thread refused it with
 */
export function unpackAnswer(
  [messages, index, stats]: readonly Tensor[],
  at: number,
): { bytes: Uint8Array; batchRows: number } {
  const bytes = messages?.data;
  const fields = index?.data;
  if (!(bytes instanceof Uint8Array) || !(fields instanceof Int32Array)) {
    throw new RangeError('the thread answered a job of decisions with something else');
  }
  for (let i = 0, start = 0; i < fields.length; i += ANSWER_FIELDS) {
    const end = fields[i + 2] as number;
    if (fields[i] === at) {
      const own = bytes.subarray(start, end);
      if (fields[i + 1] === 1) throw failureFrom(own);
      return { bytes: own, batchRows: Number(stats?.data[0] ?? 0) };
    }
    start = end;
  }
  throw new RangeError('the thread did not answer a part of its job');
}

function failureFrom(bytes: Uint8Array): DomainError {
  const { code, message, path } = JSON.parse(new TextDecoder().decode(bytes)) as {
    code: ErrorCode;
    message: string;
    path?: string;
  };
  return new DomainError(code, message, path === undefined ? {} : { path });
}

function tensorOf(data: Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>): Tensor {
  return { data, dims: [data.length] };
}
