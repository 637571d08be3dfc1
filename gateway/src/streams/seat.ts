import type { SharedStream } from './shared-stream.js';
import type { StreamEnd, StreamEvent, Subscriber } from './stream-event.js';

/** A subscriber's place on whatever stream it is on at the moment; what comes before the subscriber is ready waits. */
export class Seat implements Subscriber {
  private waiting: (() => void)[] | null = [];
  private stream: SharedStream | null = null;
  private hasLeft = false;

  constructor(private readonly subscriber: Subscriber) {}

  /** Called by the stream that takes it on. */
  sit(stream: SharedStream): void {
    this.stream = stream;
    if (this.hasLeft) stream.leave(this);
  }

  start(): void {
    const missed = this.waiting ?? [];
    this.waiting = null;
    for (const tell of missed) tell();
  }

  leave(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    this.stream?.leave(this);
  }

  next(event: StreamEvent): void {
    this.tell(() => this.subscriber.next(event));
  }

  beat(cursor: string | null): void {
    if (!this.waiting) this.subscriber.beat(cursor);
  }

  end(end: StreamEnd): void {
    this.tell(() => this.subscriber.end(end));
  }

  private tell(what: () => void): void {
    if (this.hasLeft) return;
    if (this.waiting) this.waiting.push(what);
    else what();
  }
}
