import { DomainError } from '@sextant/domain';
import type { BatchTiming, ResultSink } from '../scheduling/batch-lane.js';
import type { Tensor } from '../tensors/tensor.js';
import { unpackAnswer } from './wire/part-messages.js';

/** Gathers the answers to the parts of a call in the order of its rows. */
export class CollectedAnswers implements ResultSink {
  private readonly parts: { from: number; bytes: Uint8Array }[] = [];
  private bytes = 0;
  private batchRows = 0;

  /** @param maxBytes  more than a message may hold ends the call early */
  constructor(
    private readonly maxBytes: number,
    private readonly settled: {
      resolve(parts: Uint8Array[], timing: BatchTiming): void;
      reject(error: unknown): void;
    },
  ) {}

  take(outputs: readonly Tensor[], { from, at }: { from: number; at: number }): void {
    const { bytes, batchRows } = unpackAnswer(outputs, at);
    this.bytes += bytes.length;
    this.batchRows = Math.max(this.batchRows, batchRows);
    if (this.bytes > this.maxBytes) {
      throw new DomainError(
        'BATCH_TOO_LARGE',
        `the answer is longer than the ${this.maxBytes} bytes of a message; ask for fewer rows, items, reasons or explanations`,
      );
    }
    this.parts.push({ from, bytes });
  }

  done(timing: BatchTiming): void {
    const ordered = this.parts.toSorted((a, b) => a.from - b.from).map(({ bytes }) => bytes);
    this.settled.resolve(ordered, { ...timing, batchRows: this.batchRows });
  }

  fail(error: unknown): void {
    this.settled.reject(error);
  }
}
