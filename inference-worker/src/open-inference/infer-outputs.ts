import { DomainError } from '@sextant/domain';
import type { InferRequest, ResponseOutput } from '@sextant/inference-protocol';
import {
  bytesPerRow,
  elementsOf,
  type Tensor,
  type TensorArray,
  type TensorSpec,
} from '../tensors/tensor.js';
import { shown } from '../transport/shown.js';
import { textBytes } from './texts.js';

/** Positions among the model's outputs of those that the request asks for, in its order. */
export function wantedOutputs({ outputs }: InferRequest, specs: readonly TensorSpec[]): number[] {
  return outputs.map(({ name }, i) => {
    const found = specs.findIndex((spec) => spec.name === name);
    if (found >= 0) return found;
    const path = `outputs[${i}].name`;
    const known = specs.map((spec) => spec.name).join(', ');
    throw new DomainError(
      'TENSOR_MISMATCH',
      `${path}: "${shown(name)}" is no output; the model gives ${known}`,
      {
        path,
      },
    );
  });
}

/** A place in a batch whose answers a request takes. */
export interface Range {
  from: number;
  count: number;
  at: number;
}

/** Collects the outputs of a request whose rows were carried by several batches. */
export class RowOutputs {
  private readonly joined: Uint8Array[] = [];

  constructor(
    private readonly rows: number,
    private readonly specs: readonly TensorSpec[],
    private readonly wanted: readonly number[],
  ) {}

  take(outputs: readonly Tensor[], { from, count, at }: Range): void {
    for (const [i, output] of this.wanted.entries()) {
      const bytes = bytesOf(outputs[output]?.data as TensorArray);
      const rowBytes = bytesPerRow(this.specs[output] as TensorSpec);
      const joined = (this.joined[i] ??= new Uint8Array(this.rows * rowBytes));
      joined.set(bytes.subarray(at * rowBytes, (at + count) * rowBytes), from * rowBytes);
    }
  }

  list(): ResponseOutput[] {
    return this.wanted.map((output, i) => ({
      output,
      shape: [this.rows, ...(this.specs[output] as TensorSpec).rowShape],
      bytes: this.joined[i] ?? new Uint8Array(),
    }));
  }
}

/** The outputs of a request that one batch carried whole, as views of the batch's. */
export function rowOutputs(
  outputs: readonly Tensor[],
  { count, at }: Range,
  { specs, wanted }: { specs: readonly TensorSpec[]; wanted: readonly number[] },
): ResponseOutput[] {
  return wanted.map((output) => {
    const spec = specs[output] as TensorSpec;
    const { buffer, byteOffset } = outputs[output]?.data as TensorArray;
    const rowBytes = bytesPerRow(spec);
    const bytes = new Uint8Array(buffer, byteOffset + at * rowBytes, count * rowBytes);
    return { output, shape: [count, ...spec.rowShape], bytes };
  });
}

/** The outputs of a request that ran alone, whatever their shapes. */
export function wholeOutputs(outputs: readonly Tensor[], wanted: readonly number[]): ResponseOutput[] {
  return wanted.map((output) => {
    const { data, dims } = outputs[output] as Tensor;
    if (Array.isArray(data)) return { output, shape: dims, bytes: textBytes(data) };
    return { output, shape: dims, bytes: elementsOf(dims) === 0 ? new Uint8Array() : bytesOf(data) };
  });
}

function bytesOf({ buffer, byteOffset, byteLength }: TensorArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
