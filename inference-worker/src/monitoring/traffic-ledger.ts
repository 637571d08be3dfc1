import { status } from '@grpc/grpc-js';
import { MINUTE_MS } from './hour-counts.js';

export type TrafficRole = 'live' | 'canary' | 'shadow' | 'other';

/** Bounds of durations, in milliseconds; the worker's own metrics have the same in seconds. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000,
];

/** Statuses for which the worker or the version is to blame, not the caller. */
const FAILURES: readonly number[] = [
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.UNKNOWN,
];
/** Minutes that are kept for a collector that was away. */
const KEPT_MINUTES = 120;
const MAX_SLOTS = 20_000;

/** Of a shadow's run; see `ShadowRun`. */
export interface ShadowOutcome {
  outcome: 'ok' | 'failed' | 'dropped';
  difference?: { values: number; sumAbsolute: number; maxAbsolute: number };
}

/** Requests and batches of one version in one minute. */
export class TrafficMinute {
  calls = 0;
  failures = 0;
  rejected = 0;
  readonly latencyCounts = new Float64Array(LATENCY_BOUNDS_MS.length + 1);
  latencySumMs = 0;
  batches = 0;
  rows = 0;
  computeMs = 0;
  readonly shadow = { runs: 0, failures: 0, dropped: 0, values: 0, sumAbsolute: 0, maxAbsolute: 0 };
  /** epoch milliseconds of the last change */
  touchedAt = 0;

  constructor(
    readonly model: string,
    readonly version: string,
    /** minutes since 1970, UTC */
    readonly minute: number,
    readonly role: TrafficRole,
  ) {}
}

/** Counts the requests and batches of one version by the minute. */
export class VersionTraffic {
  private current: TrafficMinute | null = null;

  constructor(
    private readonly open: (minute: number) => TrafficMinute,
    private readonly now: () => number,
  ) {}

  /** @param code  gRPC status */
  finished(code: number, ms: number): void {
    const slot = this.slot();
    slot.calls += 1;
    if (code === status.OK) {
      let at = 0;
      while (at < LATENCY_BOUNDS_MS.length && ms > (LATENCY_BOUNDS_MS[at] as number)) at += 1;
      slot.latencyCounts[at] = (slot.latencyCounts[at] as number) + 1;
      slot.latencySumMs += ms;
    } else if (code === status.RESOURCE_EXHAUSTED) slot.rejected += 1;
    else if (FAILURES.includes(code)) slot.failures += 1;
  }

  ran(rows: number, computeMs: number): void {
    const slot = this.slot();
    slot.batches += 1;
    slot.rows += rows;
    slot.computeMs += computeMs;
  }

  shadowed({ outcome, difference }: ShadowOutcome): void {
    const { shadow } = this.slot();
    if (outcome === 'ok') shadow.runs += 1;
    else if (outcome === 'failed') shadow.failures += 1;
    else shadow.dropped += 1;
    if (!difference) return;
    shadow.values += difference.values;
    shadow.sumAbsolute += difference.sumAbsolute;
    shadow.maxAbsolute = Math.max(shadow.maxAbsolute, difference.maxAbsolute);
  }

  private slot(): TrafficMinute {
    const now = this.now();
    const minute = Math.floor(now / MINUTE_MS);
    const slot = this.current?.minute === minute ? this.current : (this.current = this.open(minute));
    slot.touchedAt = now;
    return slot;
  }
}

/** Traffic of every version by the minute, for two hours. */
export class TrafficLedger {
  private readonly versions = new Map<string, VersionTraffic>();
  /** in the order in which the minutes began */
  private readonly slots = new Map<string, TrafficMinute>();

  /** what a version is for now; set once the routing is known */
  roleOf: (model: string, version: string) => TrafficRole = () => 'other';

  constructor(private readonly now: () => number = Date.now) {}

  of(model: string, version: string): VersionTraffic {
    const key = `${model}@${version}`;
    let traffic = this.versions.get(key);
    if (!traffic) {
      traffic = new VersionTraffic((minute) => this.begin(model, version, minute), this.now);
      this.versions.set(key, traffic);
    }
    return traffic;
  }

  /** The version is unloaded: its minutes stay for who watches. */
  forget(model: string, version: string): void {
    this.versions.delete(`${model}@${version}`);
  }

  /** Minutes that changed at or after an instant. @param at  epoch milliseconds */
  since(at: number): TrafficMinute[] {
    return [...this.slots.values()].filter(({ touchedAt }) => touchedAt >= at);
  }

  private begin(model: string, version: string, minute: number): TrafficMinute {
    const key = `${model}@${version}/${minute}`;
    const before = this.slots.get(key);
    if (before) return before;
    const slot = new TrafficMinute(model, version, minute, this.roleOf(model, version));
    this.slots.set(key, slot);
    for (const [name, { minute: old }] of this.slots) {
      if (old > minute - KEPT_MINUTES && this.slots.size <= MAX_SLOTS) break;
      this.slots.delete(name);
    }
    return slot;
  }
}
