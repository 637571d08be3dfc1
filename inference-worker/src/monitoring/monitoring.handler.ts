import { setTimeout as sleep } from 'node:timers/promises';
import { type ServerWritableStream, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { type FeedCursor, MonitoringFeed, type WatchMessage } from './monitoring-feed.js';

interface WatchRequest {
  periodMs: number;
}
type WatchCall = ServerWritableStream<WatchRequest, WatchMessage>;

/** Threads hand their counts over between two runs. */
const PATIENCE_MS = 1_000;
const DEFAULT_PERIOD_MS = 10_000;
const SHORTEST_PERIOD_MS = 100;
const LONGEST_PERIOD_MS = 300_000;
/** A trainer has one stream to each worker; several trainers, tools and those that are just being replaced fit in. */
const MAX_WATCHERS = 16;

/** The streams of `sextant.monitoring.v1.Monitoring/Watch`: bounded in number, never ahead of what their reader takes. */
export class MonitoringStreams {
  private readonly watchers = new Set<Watcher>();
  private isOver = false;

  constructor(private readonly feed: MonitoringFeed) {}

  get handlers(): UntypedServiceImplementation {
    return { Watch: (call: WatchCall) => this.watch(call) };
  }

  get count(): number {
    return this.watchers.size;
  }

  /** Tells the last of it and ends every stream; to be called when nothing is decided any more. */
  async finish(): Promise<void> {
    this.isOver = true;
    // A thread that is stuck in a run keeps its counts; it must not keep the worker.
    await Promise.race([this.feed.collectAll(), sleep(PATIENCE_MS, undefined, { ref: false })]);
    for (const watcher of [...this.watchers]) watcher.finish();
    this.watchers.clear();
  }

  private watch(call: WatchCall): void {
    const { periodMs } = call.request;
    if (this.isOver) return refuse(call, status.UNAVAILABLE, 'the worker is shutting down');
    if (this.watchers.size >= MAX_WATCHERS) {
      const details = `${MAX_WATCHERS} streams watch this worker already: end one of them first`;
      return refuse(call, status.RESOURCE_EXHAUSTED, details);
    }
    if (periodMs !== 0 && (periodMs < SHORTEST_PERIOD_MS || periodMs > LONGEST_PERIOD_MS)) {
      const details = `period_ms must be 0 or ${SHORTEST_PERIOD_MS}..${LONGEST_PERIOD_MS}, got ${periodMs}`;
      return refuse(call, status.INVALID_ARGUMENT, details);
    }
    const watcher = new Watcher(call, this.feed, periodMs || DEFAULT_PERIOD_MS);
    this.watchers.add(watcher);
    const leave = (): void => {
      watcher.stop();
      this.watchers.delete(watcher);
    };
    call.once('cancelled', leave);
    call.once('close', leave);
    call.once('error', leave);
    watcher.start();
  }
}

/** One stream: everything at once, then what changed, no faster than it is read. */
class Watcher {
  private readonly cursor: FeedCursor = MonitoringFeed.start();
  private timer: NodeJS.Timeout | undefined;
  private isSending = false;
  private isBlocked = false;
  private isStopped = false;

  constructor(
    private readonly call: WatchCall,
    private readonly feed: MonitoringFeed,
    private readonly periodMs: number,
  ) {
    call.on('drain', () => (this.isBlocked = false));
  }

  start(): void {
    this.timer = setInterval(() => void this.send(), this.periodMs);
    this.timer.unref();
    void this.send();
  }

  stop(): void {
    this.isStopped = true;
    clearInterval(this.timer);
  }

  finish(): void {
    if (this.isStopped) return;
    this.stop();
    for (const message of this.feed.next(this.cursor, { isLast: true })) this.call.write(message);
    this.call.end();
  }

  private async send(): Promise<void> {
    if (this.isSending || this.isBlocked || this.isStopped) return;
    this.isSending = true;
    await this.feed.collect();
    this.isSending = false;
    if (this.isStopped) return;
    for (const message of this.feed.next(this.cursor)) this.isBlocked = !this.call.write(message);
  }
}

function refuse(call: WatchCall, code: status, details: string): void {
  call.emit('error', { code, details });
}
