import { DomainError, type ErrorCode } from '@sextant/domain';
import type { Tensor } from '../../tensors/tensor.js';

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
  /** a request message */
  bytes: Uint8Array;
}

export interface PartAnswer {
  at: number;
  isFailure: boolean;
  /** a response message, or the failure as JSON */
  bytes: Uint8Array;
}

const REQUEST_FIELDS = 5;
const ANSWER_FIELDS = 3;

/** One buffer of all messages and one of where each ends, to be handed over to a thread. */
export function packRequests(parts: readonly PartRequest[]): Tensor[] {
  const index = new Int32Array(parts.length * REQUEST_FIELDS);
  const bytes = concatenated(parts);
  let end = 0;
  for (const [i, part] of parts.entries()) {
    end += part.bytes.length;
    index.set([part.rpc, part.firstRow, part.rows, part.at, end], i * REQUEST_FIELDS);
  }
  return [tensorOf(bytes), tensorOf(index)];
}

export function unpackRequests([messages, index]: readonly Tensor[]): PartRequest[] {
  const bytes = messages?.data;
  const fields = index?.data;
  if (!(bytes instanceof Uint8Array) || !(fields instanceof Int32Array)) {
    throw new RangeError('a job of decisions holds messages and their index');
  }
  let start = 0;
  return Array.from({ length: fields.length / REQUEST_FIELDS }, (_, i) => {
    const [rpc = 0, firstRow = 0, rows = 0, at = 0, end = 0] = fields.subarray(i * REQUEST_FIELDS);
    const part = { rpc, firstRow, rows, at, bytes: bytes.subarray(start, end) };
    start = end;
    return part;
  });
}

/** @param batchRows  rows that the model ran together, at most */
export function packAnswers(answers: readonly PartAnswer[], batchRows: number): Tensor[] {
  const index = new Int32Array(answers.length * ANSWER_FIELDS);
  let end = 0;
  for (const [i, { at, isFailure, bytes }] of answers.entries()) {
    end += bytes.length;
    index.set([at, isFailure ? 1 : 0, end], i * ANSWER_FIELDS);
  }
  return [tensorOf(concatenated(answers)), tensorOf(index), tensorOf(Int32Array.of(batchRows))];
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

function concatenated(parts: readonly { bytes: Uint8Array }[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of parts) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}

function tensorOf(data: Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>): Tensor {
  return { data, dims: [data.length] };
}
