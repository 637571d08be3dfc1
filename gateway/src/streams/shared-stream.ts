import type { ExecutionResult } from 'graphql';
import type { GatewayContext, StreamProgress } from '../pipeline/operation.js';
import type { AdmittedSubscription } from '../pipeline/pipeline.js';
import { EventLog } from './event-log.js';
import type { Seat } from './seat.js';
import { type StreamEnd, type StreamEvent, streamEvent } from './stream-event.js';

export interface StreamParts {
  /** judged and ready; the stream releases it */
  admitted: AdmittedSubscription;
  /** cursor to begin after; null: now */
  after: string | null;
  /** judges the same operation again, on the engine that is in force by then */
  admitAgain(): Promise<AdmittedSubscription | ExecutionResult>;
  /** whether it has to run although nobody is on it */
  isNeeded(): boolean;
  /** told of a fault of ours, after which those who are on it come back */
  onUnexpected(error: unknown): void;
  /** told after each event was handed out */
  onEvent(): void;
  /** told once, when nobody listens any more or there is nothing to listen to */
  onEnd(stream: SharedStream): void;
}

/** How long the fetches for one event may take. */
const EVENT_MS = 15_000;
/** How long a stream without subscribers waits for one to come back. */
const LINGER_MS = 5_000;

/** One execution of a subscription, for everybody who asked for the same with the same rights. */
export class SharedStream {
  private readonly log = new EventLog();
  private readonly seats = new Set<Seat>();
  private readonly progress: StreamProgress;
  private readonly stands = Promise.withResolvers<void>();
  private admitted: AdmittedSubscription;
  private aborting = new AbortController();
  private told: string | null;
  private refusal: ExecutionResult | null = null;
  private lingering: NodeJS.Timeout | null = null;
  private state: 'starting' | 'running' | 'moving' | 'over' = 'starting';

  constructor(private readonly parts: StreamParts) {
    this.admitted = parts.admitted;
    this.told = parts.after;
    this.progress = { after: parts.after, cursor: parts.after, idle: (cursor) => this.rest(cursor) };
    this.run().catch((error: unknown) => {
      parts.onUnexpected(error);
      this.close('moved');
    });
  }

  /** After which nothing was told yet. */
  get cursor(): string | null {
    return this.told;
  }

  /** Resolves when what happens from now on is told, with null; or with why it is not. */
  async standing(): Promise<ExecutionResult | null> {
    await this.stands.promise;
    return this.refusal;
  }

  /** Whether everything after the cursor is known here. */
  covers(cursor: string | null): boolean {
    return this.state === 'running' && (cursor === null || this.log.after(cursor) !== null);
  }

  /** From now on; with `after`, of a stream that covers it, also what is kept since. */
  join(seat: Seat, after: string | null): void {
    if (this.lingering) clearTimeout(this.lingering);
    this.lingering = null;
    for (const event of after === null ? [] : (this.log.after(after) ?? [])) seat.next(event);
    this.seats.add(seat);
    seat.sit(this);
  }

  leave(seat: Seat): void {
    this.seats.delete(seat);
    this.closeWhenIdle();
  }

  /** Ends in a moment, unless somebody comes. */
  closeWhenIdle(): void {
    if (!this.isIdle || this.lingering) return;
    this.lingering = setTimeout(() => {
      this.lingering = null;
      if (this.isIdle) this.close('complete');
    }, LINGER_MS);
    this.lingering.unref();
  }

  /** Hands everybody to a stream that covers the cursor of this one, and ends. */
  handOver(to: SharedStream): void {
    for (const seat of this.seats) to.join(seat, this.told);
    this.seats.clear();
    this.close('complete');
  }

  /** Goes on with the engine that is in force, if it is another one. */
  moveTo(engine: unknown): void {
    if (this.state !== 'running' || this.admitted.engine === engine) return;
    this.state = 'moving';
    this.aborting.abort();
  }

  beat(): void {
    for (const seat of this.seats) seat.beat(this.told);
  }

  close(end: StreamEnd): void {
    if (this.state === 'over') return;
    this.state = 'over';
    if (this.lingering) clearTimeout(this.lingering);
    this.stands.resolve();
    this.aborting.abort();
    for (const seat of [...this.seats]) seat.end(end);
    this.seats.clear();
    this.parts.onEnd(this);
  }

  private get isIdle(): boolean {
    return this.seats.size === 0 && this.state !== 'over' && !this.parts.isNeeded();
  }

  private rest(cursor: string | null): void {
    this.told = cursor;
    if (this.state !== 'starting') return;
    this.state = 'running';
    this.log.begin(cursor);
    this.stands.resolve();
  }

  private async run(): Promise<void> {
    do {
      await this.pump();
      this.admitted.release();
    } while (this.state === 'moving' && (await this.move()));
    this.close('complete');
  }

  private async move(): Promise<boolean> {
    const admitted = await this.parts.admitAgain();
    if (!('events' in admitted)) {
      this.tell(streamEvent(admitted, null));
      return false;
    }
    this.admitted = admitted;
    this.aborting = new AbortController();
    this.progress.after = this.told;
    if (this.state === 'moving') this.state = 'running';
    return true;
  }

  private async pump(): Promise<void> {
    const { request } = this.admitted;
    const context = this.contextOf(request.context);
    for await (const result of this.admitted.events({ ...request, context })) {
      if (context.signal?.aborted) return;
      if (this.state === 'starting') this.refusal = result;
      else this.tell(streamEvent(result, this.progress.cursor));
    }
  }

  private tell(event: StreamEvent): void {
    if (event.cursor !== null) this.told = event.cursor;
    this.log.push(event);
    for (const seat of [...this.seats]) seat.next(event);
    this.parts.onEvent();
  }

  /** Of nobody in particular: tenant and rights of the subscribers, and a deadline for each event. */
  private contextOf({ client, span: _, ...given }: GatewayContext): GatewayContext {
    const { clientId: __, ...identity } = given.identity;
    return {
      ...given,
      identity: { ...identity, subject: 'subscribers' },
      client: { ...client, address: '' },
      get deadlineMs() {
        return Date.now() + EVENT_MS;
      },
      signal: this.aborting.signal,
      stream: this.progress,
      ledger: { fetches: 0, joined: 0, cached: 0, estimatedCost: null },
    };
  }
}
