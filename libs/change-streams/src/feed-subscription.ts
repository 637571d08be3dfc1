import { DomainError } from '@sextant/domain';
import { cursorOf, type StreamPosition } from './stream-cursor.js';

interface Waiting<E> {
  resolve(result: IteratorResult<E, undefined>): void;
  reject(error: unknown): void;
}

/** What one subscriber is owed: a bounded queue that is read as an async iterable. */
export class FeedSubscription<E> implements AsyncIterableIterator<E, undefined> {
  private readonly queue: { event: E; position: StreamPosition }[] = [];
  private waiting: Waiting<E> | null = null;
  private failure: unknown = null;
  private ended = false;
  private room: (() => void) | null = null;

  /**
   * @param reached  everything up to here was handed out, or is none of the subscriber's business
   * @param limit    events that may wait
   * @param onEnd    told once, however it ends
   */
  constructor(
    private reached: StreamPosition,
    private readonly limit: number,
    private readonly onEnd: () => void,
  ) {}

  /** Where to go on if this subscription is lost now: whatever waits is still to come. */
  get position(): StreamPosition {
    return this.reached;
  }

  /** The same as a client is told it. */
  get cursor(): string {
    return cursorOf(this.reached);
  }

  get isEnded(): boolean {
    return this.ended;
  }

  /** Adds an event; where too many wait the subscription ends with STREAM_OVERFLOW once they are read. */
  push(event: E, position: StreamPosition): void {
    if (this.ended) return;
    if (this.waiting) {
      this.reached = position;
      this.waiting.resolve({ value: event, done: false });
      this.waiting = null;
    } else if (this.queue.length < this.limit) {
      this.queue.push({ event, position });
    } else {
      this.fail(overflow());
    }
  }

  /** Nothing up to `position` concerns the subscriber, beyond what waits. */
  advance(position: StreamPosition): void {
    if (this.queue.length === 0 && position > this.reached) this.reached = position;
  }

  /** Resolves when no more than `most` events wait, or the subscription has ended. */
  async untilRoom(most: number): Promise<void> {
    while (!this.ended && this.queue.length > most)
      await new Promise<void>((resolve) => (this.room = resolve));
  }

  fail(error: unknown): void {
    if (this.ended) return;
    this.failure = error;
    this.finish();
    if (!this.waiting) return;
    this.failure = null;
    this.waiting.reject(error);
    this.waiting = null;
  }

  next(): Promise<IteratorResult<E, undefined>> {
    const first = this.queue.shift();
    if (first) {
      this.reached = first.position;
      this.wake();
      return Promise.resolve({ value: first.event, done: false });
    }
    if (this.failure !== null) {
      const error = this.failure;
      this.failure = null;
      return Promise.reject(error as Error);
    }
    if (this.ended) return Promise.resolve({ value: undefined, done: true });
    if (this.waiting) return Promise.reject(new Error('a subscription is read by one reader'));
    return new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
  }

  return(): Promise<IteratorResult<E, undefined>> {
    this.queue.length = 0;
    this.failure = null;
    this.finish();
    this.waiting?.resolve({ value: undefined, done: true });
    this.waiting = null;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    this.wake();
    this.onEnd();
  }

  private wake(): void {
    this.room?.();
    this.room = null;
  }
}

function overflow(): DomainError {
  return new DomainError(
    'STREAM_OVERFLOW',
    'events came faster than they were read: subscribe again after the last cursor you have',
  );
}
