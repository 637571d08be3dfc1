import { setTimeout as pause } from 'node:timers/promises';
import type { ChangeStream, ChangeStreamOptions, Collection, Document, Timestamp } from 'mongodb';
import { catchUp } from './catch-up.js';
import { type Change, toChange, tokenOf, WRITES } from './change.js';
import { ChangeRing } from './change-ring.js';
import { FeedSubscription } from './feed-subscription.js';
import { isHistoryLost, lostCursor } from './stream-errors.js';
import { positionAfter, type StreamPosition, timeOf } from './stream-cursor.js';

export interface FeedOptions<T> {
  /** a stored document as what it stands for */
  read(document: Document): T;
  /** writes that nobody is told of, e.g. of a lease; all are told when left out */
  isVisible?(change: Change<T>): boolean;
  /** changes kept for subscribers who come back; at least this many */
  kept?: number;
  /** events that may wait for one subscriber */
  queued?: number;
  /** how long the stream stays open with nobody listening, milliseconds */
  lingerMs?: number;
  /** told when the stream breaks; it is opened again by itself */
  onProblem(error: unknown): void;
}

export interface SubscribeOptions<T, E> {
  tenantId: string;
  /** only what comes after it; from now on when left out */
  after?: StreamPosition | null;
  /** what the subscriber is told of a change; null: nothing */
  select(change: Change<T>): E | null;
}

interface Listener<T> {
  tell(change: Change<T>): void;
  advance(position: StreamPosition): void;
  fail(error: unknown): void;
}

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;
/** How long the store holds a read of the stream open while nothing happens. */
const AWAIT_MS = 1_000;

/**
 * The changes of one collection, read once for this process and handed to its subscribers by tenant. A subscriber who comes
 * back with the place that it had reached gets everything since, once and in order: from memory where that reaches back far
 * enough, else from the store.
 */
export class ChangeFeed<T> {
  private readonly onClose = new Set<() => void>();
  private readonly listeners = new Map<string, Set<Listener<T>>>();
  private ring: ChangeRing<Change<T>> | null = null;
  private reached: StreamPosition | null = null;
  private starting: Promise<void> | null = null;
  private stream: ChangeStream<Document> | null = null;
  private lingering: NodeJS.Timeout | null = null;
  private generation = 0;
  private count = 0;

  constructor(
    private readonly collection: Collection<Document>,
    private readonly options: FeedOptions<T>,
  ) {}

  /**
   * @throws DomainError CURSOR_EXPIRED when the store no longer knows what came after `after`
   */
  async subscribe<E>({ tenantId, after, select }: SubscribeOptions<T, E>): Promise<FeedSubscription<E>> {
    this.keepOpen();
    try {
      await this.started();
      const { subscription, listener, ringOf } = this.register(tenantId, after ?? null, select);
      if (after == null || after >= ringOf().floor) this.attach(tenantId, listener, subscription.position);
      else
        await catchUp<T>(
          this.collection,
          { tenantId, after, read: this.options.read },
          {
            subscription,
            floor: () => ringOf().floor,
            tell: (change) => this.isVisible(change) && listener.tell(change),
            join: (position) => this.attach(tenantId, listener, position),
          },
        );
      return subscription;
    } finally {
      this.closeWhenIdle();
    }
  }

  /** Ends every subscription in order; the feed can be used again. */
  async close(): Promise<void> {
    if (this.lingering) clearTimeout(this.lingering);
    for (const end of [...this.onClose]) end();
    await this.stop();
  }

  private register<E>(
    tenantId: string,
    after: StreamPosition | null,
    select: (change: Change<T>) => E | null,
  ) {
    const ringOf = (): ChangeRing<Change<T>> => this.ring ?? new ChangeRing(1, this.reached ?? '82');
    const start = after ?? this.reached ?? ringOf().floor;
    let told = start;
    this.count += 1;
    const subscription = new FeedSubscription<E>(start, this.options.queued ?? 4_000, () => {
      this.count -= 1;
      this.onClose.delete(end);
      this.detach(tenantId, listener);
    });
    const end = (): void => void subscription.return();
    this.onClose.add(end);
    const listener: Listener<T> = {
      tell(change) {
        if (change.position <= told) return; // read twice: by catching up and by the feed
        told = change.position;
        const event = select(change);
        if (event === null) subscription.advance(change.position);
        else subscription.push(event, change.position);
      },
      advance: (position) => subscription.advance(position),
      fail: (error) => subscription.fail(error),
    };
    return { subscription, listener, ringOf };
  }

  /** From here on, without a gap or a double: what is in memory after `position`, then whatever comes. */
  private attach(tenantId: string, listener: Listener<T>, position: StreamPosition): void {
    if (!this.ring) return listener.fail(lostCursor());
    for (const change of this.ring.after(position)) if (change.tenantId === tenantId) listener.tell(change);
    const others = this.listeners.get(tenantId) ?? new Set();
    this.listeners.set(tenantId, others.add(listener));
  }

  private detach(tenantId: string, listener: Listener<T>): void {
    const left = this.listeners.get(tenantId);
    left?.delete(listener);
    if (left?.size === 0) this.listeners.delete(tenantId);
    this.closeWhenIdle();
  }

  private take(change: Change<T>): void {
    this.ring?.push(change);
    for (const listener of [...(this.listeners.get(change.tenantId) ?? [])]) listener.tell(change);
  }

  private isVisible(change: Change<T>): boolean {
    return this.options.isVisible?.(change) ?? true;
  }

  private started(): Promise<void> {
    this.starting ??= this.start().catch((error: unknown) => {
      this.starting = null;
      throw error;
    });
    return this.starting;
  }

  /** Opens the stream at the store's present time, which is known before anything is read. */
  private async start(): Promise<void> {
    const { operationTime } = await this.collection.db.command({ ping: 1 });
    this.reached = positionAfter(operationTime as Timestamp);
    this.ring = new ChangeRing(this.options.kept ?? 1_000, this.reached);
    void this.read(++this.generation);
  }

  private async read(generation: number): Promise<void> {
    let token: unknown = null;
    let retryMs = FIRST_RETRY_MS;
    while (generation === this.generation) {
      const stream = this.open(token);
      try {
        for (;;) {
          const raw = await stream.tryNext();
          if (generation !== this.generation) return;
          retryMs = FIRST_RETRY_MS;
          token = stream.resumeToken ?? token;
          if (raw) this.hear(raw);
          if (raw?.operationType === 'invalidate') break;
          if (!raw && token) this.advance(tokenOf(token));
        }
      } catch (error) {
        if (generation !== this.generation) return;
        this.options.onProblem(error);
        if (isHistoryLost(error)) return this.lose();
        await pause(retryMs);
        retryMs = Math.min(LONGEST_RETRY_MS, 2 * retryMs);
      } finally {
        await stream.close().catch(() => undefined);
      }
    }
  }

  private open(token: unknown): ChangeStream<Document> {
    const from: ChangeStreamOptions = token
      ? { startAfter: token }
      : { startAtOperationTime: timeOf(this.reached ?? '') };
    const pipeline = [{ $match: { operationType: { $in: [...WRITES, 'invalidate'] } } }];
    this.stream = this.collection.watch(pipeline, {
      ...from,
      fullDocument: 'updateLookup',
      maxAwaitTimeMS: AWAIT_MS,
    });
    return this.stream;
  }

  private hear(raw: Parameters<typeof toChange>[0]): void {
    const change = toChange(raw, this.options.read);
    this.reach(tokenOf(raw._id));
    if (change && this.isVisible(change)) this.take(change);
  }

  /** Nothing happened up to `position`: idle subscribers may go on from there. */
  private advance(position: StreamPosition): void {
    this.reach(position);
    for (const listeners of this.listeners.values())
      for (const listener of listeners) listener.advance(position);
  }

  private reach(position: StreamPosition): void {
    if (this.reached === null || position > this.reached) this.reached = position;
  }

  /** The store has forgotten what came after the last change that was read: nobody can be told the truth any more. */
  private lose(): void {
    this.starting = null;
    this.ring = null;
    const all = [...this.listeners.values()].flatMap((listeners) => [...listeners]);
    for (const listener of all) listener.fail(lostCursor());
  }

  private keepOpen(): void {
    if (this.lingering) clearTimeout(this.lingering);
    this.lingering = null;
  }

  private closeWhenIdle(): void {
    if (this.count > 0 || this.lingering || !this.starting) return;
    this.lingering = setTimeout(() => void this.stop(), this.options.lingerMs ?? 60_000);
    this.lingering.unref();
  }

  private async stop(): Promise<void> {
    this.generation += 1;
    this.starting = null;
    this.lingering = null;
    const stream = this.stream;
    this.stream = null;
    await stream?.close().catch(() => undefined);
  }
}
