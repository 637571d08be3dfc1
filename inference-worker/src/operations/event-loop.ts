import { monitorEventLoopDelay } from 'node:perf_hooks';

type IntervalHistogram = ReturnType<typeof monitorEventLoopDelay>;

const RESOLUTION_MS = 20;
const WINDOW_MS = 60_000;

/** Milliseconds that turns of the event loop came late. */
export interface LoopDelay {
  p50: number;
  p99: number;
  max: number;
}

/** How late the main thread's event loop was, over the last one to two minutes. */
export class EventLoopWatch {
  private current: IntervalHistogram | undefined;
  private before: LoopDelay | undefined;
  private timer: NodeJS.Timeout | undefined;

  start(): void {
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    histogram.enable();
    this.current = histogram;
    this.timer = setInterval(() => {
      this.before = delayOf(histogram);
      histogram.reset();
    }, WINDOW_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.current?.disable();
  }

  /** The worse of this window and the one before. */
  delay(): LoopDelay {
    const now = this.current ? delayOf(this.current) : NONE;
    const { before } = this;
    if (!before) return now;
    return {
      p50: Math.max(now.p50, before.p50),
      p99: Math.max(now.p99, before.p99),
      max: Math.max(now.max, before.max),
    };
  }
}

const NONE: LoopDelay = { p50: 0, p99: 0, max: 0 };

/** The monitor measures how far apart its ticks lie, so its resolution is no delay. */
function delayOf(histogram: IntervalHistogram): LoopDelay {
  if (histogram.count === 0) return NONE;
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return {
    p50: late(histogram.percentile(50)),
    p99: late(histogram.percentile(99)),
    max: late(histogram.max),
  };
}
