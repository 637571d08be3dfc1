import type { Histogram } from './histogram.js';

/** Histograms of one model. */
export interface Latencies {
  request: Histogram;
  queue: Histogram;
  compute: Histogram;
}

const STEP_MS = 30_000;

/** What a model's latencies were lately: the counters since the start, less what they were half a minute to a minute ago. */
export class RecentLatencies {
  /** newest last */
  private snapshots: ReadonlyMap<string, Latencies>[] = [];
  private timer: NodeJS.Timeout | undefined;

  /** @param read  latencies since the start of the process, copies */
  constructor(private readonly read: () => ReadonlyMap<string, Latencies>) {}

  start(): void {
    this.timer = setInterval(() => this.step(), STEP_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Begins the next half minute. */
  step(): void {
    this.snapshots = [...this.snapshots.slice(-1), this.read()];
  }

  /** Of the last half to whole minute; of all the time while the process is younger. */
  of(model: string): Latencies | undefined {
    const now = this.read().get(model);
    const before = this.snapshots[0]?.get(model);
    if (!now || !before) return now;
    return {
      request: now.request.since(before.request),
      queue: now.queue.since(before.queue),
      compute: now.compute.since(before.compute),
    };
  }
}
