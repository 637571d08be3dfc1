import { CONTENTS, type ContentsField, type TypedContents } from '@sextant/inference-protocol';
import type { Datatype } from '@sextant/artefacts';
import { allocateArray, type TensorArray } from '../tensors/tensor.js';

/** Which typed field carries a datatype; the protocol has none for FP16, which travels raw. */
export const CONTENTS_OF: Readonly<Record<Exclude<Datatype, 'FP16'>, ContentsField>> = {
  BOOL: CONTENTS.bool,
  INT8: CONTENTS.int,
  INT16: CONTENTS.int,
  INT32: CONTENTS.int,
  INT64: CONTENTS.int64,
  UINT8: CONTENTS.uint,
  UINT16: CONTENTS.uint,
  UINT32: CONTENTS.uint,
  UINT64: CONTENTS.uint64,
  FP32: CONTENTS.fp32,
  FP64: CONTENTS.fp64,
  BYTES: CONTENTS.bytes,
};

const RANGE_OF: Partial<Record<Datatype, readonly [number, number]>> = {
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
};

/** A value that its datatype cannot hold. */
export class OutOfRangeError extends Error {
  constructor(
    readonly index: number,
    readonly value: number,
    readonly range: readonly [number, number],
  ) {
    super(`value ${index} is ${value}, outside ${range[0]}..${range[1]}`);
  }
}

/**
 * The little-endian bytes of a tensor that came typed.
 *
 * @param elements  how many its shape holds
 * @returns         the bytes and how many values came; bytes beyond `elements` are not read
 * @throws OutOfRangeError, MalformedMessageError
 */
export function bytesOfContents(
  contents: TypedContents,
  datatype: Exclude<Datatype, 'BYTES' | 'FP16'>,
  elements: number,
): { bytes: Uint8Array; count: number } {
  const field = CONTENTS_OF[datatype];
  if (datatype === 'FP32' || datatype === 'FP64') {
    const bytes = contents.fixedBytes(field);
    return { bytes, count: bytes.length / (datatype === 'FP32' ? 4 : 8) };
  }
  const values = allocateArray(datatype, elements);
  const count =
    datatype === 'INT64' || datatype === 'UINT64'
      ? readLongs(contents, field, new Int32Array(values.buffer))
      : readNumbers(contents, field, { values, datatype });
  return { bytes: new Uint8Array(values.buffer), count };
}

/** Two halves a value, the low one first. */
function readLongs(contents: TypedContents, field: ContentsField, halves: Int32Array): number {
  return contents.eachVarint(field, (reader, index) => {
    reader.varint64();
    halves[2 * index] = reader.low;
    halves[2 * index + 1] = reader.high;
  });
}

function readNumbers(
  contents: TypedContents,
  field: ContentsField,
  { values, datatype }: { values: TensorArray; datatype: Datatype },
): number {
  const range = RANGE_OF[datatype];
  return contents.eachVarint(field, (reader, index) => {
    const value = reader.int64();
    if (range && (value < range[0] || value > range[1])) throw new OutOfRangeError(index, value, range);
    (values as Int32Array)[index] = range ? value : Number(value !== 0);
  });
}
