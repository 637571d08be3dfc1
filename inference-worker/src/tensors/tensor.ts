import type { Manifest } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';

export type Datatype = 'FP32' | 'FP64' | 'INT64' | 'INT32' | 'BOOL';
export type TensorArray =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** A tensor of a servable model; its first dimension is the batch. */
export interface TensorSpec {
  name: string;
  datatype: Datatype;
  /** dimensions after the first */
  rowShape: number[];
  /** elements in one row */
  width: number;
}

const BYTES_PER_ELEMENT: Record<Datatype, number> = { FP32: 4, FP64: 8, INT64: 8, INT32: 4, BOOL: 1 };

/**
 * @throws DomainError ARTEFACT_INVALID for a tensor that cannot be batched by rows: text, a fixed first dimension, or another dimension
 *   that is not fixed
 */
export function tensorSpec(tensor: Manifest['onnx']['inputs'][number]): TensorSpec {
  const { name, datatype, shape } = tensor;
  const [batch, ...rowShape] = shape;
  if (datatype === 'BYTES' || batch !== -1 || rowShape.some((size) => size < 1)) {
    throw new DomainError(
      'ARTEFACT_INVALID',
      `tensor "${name}" (${datatype} [${shape.join(', ')}]) cannot be batched: the first dimension must be -1, the others positive, the type a number`,
    );
  }
  return { name, datatype, rowShape, width: rowShape.reduce((product, size) => product * size, 1) };
}

/** Bytes of one row on the wire and in memory. */
export function bytesPerRow({ datatype, width }: TensorSpec): number {
  return BYTES_PER_ELEMENT[datatype] * width;
}

/** A zeroed tensor of `rows` rows. */
export function allocateTensor({ datatype, width }: TensorSpec, rows: number): TensorArray {
  const elements = rows * width;
  switch (datatype) {
    case 'FP32':
      return new Float32Array(elements);
    case 'FP64':
      return new Float64Array(elements);
    case 'INT64':
      return new BigInt64Array(elements);
    case 'INT32':
      return new Int32Array(elements);
    case 'BOOL':
      return new Uint8Array(elements);
  }
}

/** The little-endian bytes of rows [from, from + count) of a tensor, without a copy. */
export function bytesOfRows(tensor: TensorArray, spec: TensorSpec, from: number, count: number): Buffer {
  const rowBytes = bytesPerRow(spec);
  return Buffer.from(tensor.buffer, tensor.byteOffset + from * rowBytes, count * rowBytes);
}
