import { createHash } from 'node:crypto';
import type { StoredEvent } from './stored-event.js';

/** Count and SHA-256 of the rows that a training run read, so that its card can say what it learned from. */
export class EventDigest {
  private readonly hash = createHash('sha256');
  private rows = 0;

  /** @param preamble  hashed before the rows; nothing when empty */
  constructor(preamble = '') {
    if (preamble !== '') this.hash.update(`${preamble}\n`, 'utf8');
  }

  add(event: StoredEvent): void {
    const { _id, customerId = null, type, at, properties } = event;
    this.hash.update(`${JSON.stringify([_id, customerId, type, at.getTime(), properties])}\n`, 'utf8');
    this.rows += 1;
  }

  get count(): number {
    return this.rows;
  }

  /** Hexadecimal, over the rows so far in the order they were added; may be asked at any time. */
  sha256(): string {
    return this.hash.copy().digest('hex');
  }
}
