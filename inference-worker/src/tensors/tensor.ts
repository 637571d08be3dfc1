import type { Datatype } from '@sextant/artefacts';

/** Elements of fixed size. FP16 is kept as its bits, BOOL as 0 or 1. */
export type TensorArray =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;
/** BYTES are texts. */
export type TensorData = TensorArray | string[];

/** Values with their shape, row-major. */
export interface Tensor {
  data: TensorData;
  dims: readonly number[];
}

/** A tensor of a model's signature. */
export interface TensorSpec {
  name: string;
  datatype: Datatype;
  /** as declared; -1 is a free dimension */
  shape: readonly number[];
  /** dimensions after the first */
  rowShape: number[];
  /** elements in one row; 0 where the tensor cannot be cut into rows of one size */
  width: number;
}

const ARRAY_OF = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<Exclude<Datatype, 'BYTES'>, unknown>;

export function tensorSpec(declared: {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
}): TensorSpec {
  const { name, datatype, shape } = declared;
  const rowShape = shape.slice(1);
  const isCut = datatype !== 'BYTES' && shape[0] === -1 && rowShape.every((size) => size >= 1);
  return { name, datatype, shape, rowShape, width: isCut ? elementsOf(rowShape) : 0 };
}

/** Whether rows of different requests can run together: every tensor is [-1, fixed, …] with elements of fixed size. */
export function isBatchable(specs: readonly TensorSpec[]): boolean {
  return specs.every(({ width }) => width > 0);
}

export function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** Bytes of one element; BYTES have none of their own. */
export function bytesPerElement(datatype: Datatype): number {
  return datatype === 'BYTES' ? 0 : ARRAY_OF[datatype].BYTES_PER_ELEMENT;
}

/** Bytes of one row on the wire and in memory. */
export function bytesPerRow({ datatype, width }: TensorSpec): number {
  return bytesPerElement(datatype) * width;
}

/** A zeroed array of `elements` numbers. */
export function allocateArray(datatype: Exclude<Datatype, 'BYTES'>, elements: number): TensorArray {
  return new ARRAY_OF[datatype](elements);
}

/** A zeroed tensor of `rows` rows. @throws RangeError for BYTES, which have no rows of one size */
export function allocateTensor({ datatype, width }: TensorSpec, rows: number): TensorArray {
  if (datatype === 'BYTES') throw new RangeError('BYTES cannot be allocated by rows');
  return allocateArray(datatype, rows * width);
}

/** Elements [0, elements) of a buffer seen as a datatype. @throws RangeError when the buffer is too short or not aligned */
export function arrayOver(
  datatype: Exclude<Datatype, 'BYTES'>,
  buffer: ArrayBuffer,
  elements: number,
): TensorArray {
  return new ARRAY_OF[datatype](buffer, 0, elements);
}
