import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Answer, STATUS } from './grpc-caller.js';

export interface LoadReport {
  seconds: number;
  sent: number;
  ok: number;
  refused: number;
  late: number;
  /** every other status, and how often */
  other: Record<string, number>;
  /** milliseconds */
  okMs: { p50: number; p99: number; longest: number };
  refusedMs: { p50: number; p99: number; longest: number };
  /** how late the load generator itself was: its own share of what was measured */
  clientDelayMs: { p50: number; p99: number; longest: number };
}

/** Adds answers up. */
export class Outcomes {
  private readonly okMs: number[] = [];
  private readonly refusedMs: number[] = [];
  private late = 0;
  private readonly other: Record<string, number> = {};

  add({ status, message, tookMs }: Answer): void {
    if (status === STATUS.OK) this.okMs.push(tookMs);
    else if (status === STATUS.RESOURCE_EXHAUSTED) this.refusedMs.push(tookMs);
    else if (status === STATUS.DEADLINE_EXCEEDED) this.late += 1;
    else {
      const name = `${status} ${message.slice(0, 120)}`;
      this.other[name] = (this.other[name] ?? 0) + 1;
    }
  }

  report(seconds: number, sent: number, clientDelayMs: readonly number[]): LoadReport {
    return {
      seconds,
      sent,
      ok: this.okMs.length,
      refused: this.refusedMs.length,
      late: this.late,
      other: this.other,
      okMs: quantilesOf(this.okMs),
      refusedMs: quantilesOf(this.refusedMs),
      clientDelayMs: quantilesOf(clientDelayMs),
    };
  }
}

export function quantilesOf(values: readonly number[]): { p50: number; p99: number; longest: number } {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), longest: at(1) };
}

/**
 * Open loop: calls leave at a steady rate whatever the answers do, as clients of a graph do.
 *
 * @param onSecond  called about once a second while the load lasts
 */
export async function openLoop(options: {
  perSecond: number;
  seconds: number;
  call: (n: number) => Promise<Answer>;
  onSecond?: () => Promise<void>;
}): Promise<LoadReport> {
  const { perSecond, seconds, call, onSecond } = options;
  const outcomes = new Outcomes();
  const delays: number[] = [];
  const pending = new Set<Promise<void>>();
  const startedAt = performance.now();
  const total = Math.round(perSecond * seconds);
  let sent = 0;
  let nextSecond = 1_000;
  while (sent < total) {
    const elapsed = performance.now() - startedAt;
    const due = Math.min(total, Math.floor((elapsed / 1000) * perSecond) + 1);
    for (; sent < due; sent += 1) {
      delays.push(elapsed - (sent / perSecond) * 1000);
      const settled: Promise<void> = call(sent).then((answer) => {
        outcomes.add(answer);
        pending.delete(settled);
      });
      pending.add(settled);
    }
    if (elapsed > nextSecond) {
      nextSecond += 1_000;
      void onSecond?.();
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const lasted = (performance.now() - startedAt) / 1000;
  await Promise.all(pending);
  return outcomes.report(lasted, sent, delays);
}

/** Closed loop: `callers` that each wait for their answer before they ask again. @returns what was answered OK a second */
export async function closedLoop(options: {
  callers: number;
  seconds: number;
  call: (n: number) => Promise<Answer>;
}): Promise<LoadReport> {
  const { callers, seconds, call } = options;
  const outcomes = new Outcomes();
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let sent = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < endsAt) outcomes.add(await call(sent++));
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return outcomes.report((performance.now() - startedAt) / 1000, sent, []);
}

/** Runs `work` and tells the longest that this process's own event loop was away, milliseconds. */
export async function withOwnStall<T>(work: () => Promise<T>): Promise<{ result: T; ownStallMs: number }> {
  const resolutionMs = 1;
  const monitor = monitorEventLoopDelay({ resolution: resolutionMs });
  monitor.enable();
  const result = await work();
  monitor.disable();
  return { result, ownStallMs: monitor.max / 1e6 - resolutionMs };
}

/** Least squares slope of y over x with its standard error. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): {
  slope: number;
  error: number;
} {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const sxx = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const sxy = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const slope = sxy / sxx;
  const residual = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: n > 2 ? Math.sqrt(residual / (n - 2) / sxx) : Number.NaN };
}
