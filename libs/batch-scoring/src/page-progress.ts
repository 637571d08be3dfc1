import type { ErrorCode } from '@sextant/domain';
import { type BatchStep, MAX_FAILED_EXAMPLES } from './batch-job.js';

/** What became of one page of customers. */
export interface DonePage {
  /** the page's last id */
  lastId: string;
  scored: number;
  failed: readonly { customerId: string; code: ErrorCode }[];
}

/** Pages end in any order; a checkpoint may pass only those before which nothing is open. */
export class PageProgress {
  private readonly done = new Map<number, DonePage>();
  private passed = 0;
  private stepAt = performance.now();

  /** @param page  number of the page in the order of reading, from 0 */
  finish(page: number, result: DonePage): void {
    this.done.set(page, result);
  }

  /** What may be recorded since the last time; null when there is nothing. */
  take(): BatchStep | null {
    const failures = new Map<ErrorCode, number>();
    const failedExamples: string[] = [];
    let cursor = '';
    let scored = 0;
    for (let page = this.done.get(this.passed); page; page = this.done.get(this.passed)) {
      this.done.delete(this.passed++);
      cursor = page.lastId;
      scored += page.scored;
      for (const { customerId, code } of page.failed) {
        failures.set(code, (failures.get(code) ?? 0) + 1);
        if (failedExamples.length < MAX_FAILED_EXAMPLES) failedExamples.push(customerId);
      }
    }
    if (cursor === '') return null;
    const now = performance.now();
    const activeMs = Math.round(now - this.stepAt);
    this.stepAt = now;
    return { cursor, scored, failures, failedExamples, activeMs };
  }
}
