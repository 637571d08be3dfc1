import type { Tensor, TensorArray } from '../tensors/tensor.js';
import type { BatchTiming, ResultSink } from './batch-lane.js';

export interface RowsResult extends BatchTiming {
  /** one array an output, exactly the rows that were asked for */
  outputs: TensorArray[];
}

/** Copies the answers to a request's rows together, whatever batches carried them. */
export class CollectedRows implements ResultSink {
  private readonly outputs: TensorArray[] = [];

  constructor(
    private readonly rows: number,
    private readonly resolve: (result: RowsResult) => void,
    readonly fail: (error: unknown) => void,
  ) {}

  take(
    outputs: readonly Tensor[],
    { from, count, at, batchRows }: { from: number; count: number; at: number; batchRows: number },
  ): void {
    for (const [i, { data }] of outputs.entries()) {
      if (Array.isArray(data)) throw new TypeError('texts are not joined by rows');
      const width = data.length / batchRows;
      const joined = (this.outputs[i] ??= arrayLike(data, this.rows * width));
      const piece = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const rowBytes = width * data.BYTES_PER_ELEMENT;
      new Uint8Array(joined.buffer).set(
        piece.subarray(at * rowBytes, (at + count) * rowBytes),
        from * rowBytes,
      );
    }
  }

  done(timing: BatchTiming): void {
    this.resolve({ outputs: this.outputs, ...timing });
  }
}

function arrayLike(sample: TensorArray, elements: number): TensorArray {
  const Typed = sample.constructor as new (elements: number) => TensorArray;
  return new Typed(elements);
}
