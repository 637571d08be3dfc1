export const TRAFFIC_ROLES = ['live', 'canary', 'shadow', 'other'] as const;
/** `other`: a version that callers name. */
export type TrafficRole = (typeof TRAFFIC_ROLES)[number];

/** What a shadow's answers were beside those that the callers had. */
export interface ShadowComparison {
  runs: number;
  failures: number;
  /** for want of room */
  dropped: number;
  /** numbers of answers that were compared */
  values: number;
  sumAbsoluteDifference: number;
  maxAbsoluteDifference: number;
}

/** Durations by bounds. */
export interface LatencyCounts {
  /** inclusive upper bounds, ascending, milliseconds */
  boundsMs: readonly number[];
  /** one more than bounds */
  counts: readonly number[];
  sumMs: number;
}

/** Requests and batches of a version; whole numbers but for the times. */
export interface Traffic {
  /** finished requests, whatever became of them */
  calls: number;
  /** of them those that the worker or the version is to blame for */
  failures: number;
  /** of them those that found the queue full */
  rejected: number;
  /** of the requests that were answered */
  latency: LatencyCounts;
  batches: number;
  rows: number;
  /** of the batches, on their threads */
  computeMs: number;
  shadow: ShadowComparison;
}

/** Running totals of one worker, version and minute. */
export interface TrafficSlot extends Traffic {
  tenantId: string;
  model: string;
  version: number;
  /** start of a UTC minute */
  minute: Date;
  worker: string;
  role: TrafficRole;
}

/** Of all workers over some minutes. */
export interface VersionTraffic extends Traffic {
  version: number;
  role: TrafficRole;
}

export const NO_SHADOW: ShadowComparison = {
  runs: 0,
  failures: 0,
  dropped: 0,
  values: 0,
  sumAbsoluteDifference: 0,
  maxAbsoluteDifference: 0,
};

/** Sums of two; of the largest difference the larger. */
export function addTraffic(a: Traffic, b: Traffic): Traffic {
  return {
    calls: a.calls + b.calls,
    failures: a.failures + b.failures,
    rejected: a.rejected + b.rejected,
    latency: addLatencies(a.latency, b.latency),
    batches: a.batches + b.batches,
    rows: a.rows + b.rows,
    computeMs: a.computeMs + b.computeMs,
    shadow: {
      runs: a.shadow.runs + b.shadow.runs,
      failures: a.shadow.failures + b.shadow.failures,
      dropped: a.shadow.dropped + b.shadow.dropped,
      values: a.shadow.values + b.shadow.values,
      sumAbsoluteDifference: a.shadow.sumAbsoluteDifference + b.shadow.sumAbsoluteDifference,
      maxAbsoluteDifference: Math.max(a.shadow.maxAbsoluteDifference, b.shadow.maxAbsoluteDifference),
    },
  };
}

/** Bounds of two builds may differ while one follows the other: what is counted by other bounds goes to the next of the wider list. */
function addLatencies(a: LatencyCounts, b: LatencyCounts): LatencyCounts {
  const [kept, other] = a.counts.length >= b.counts.length ? [a, b] : [b, a];
  const counts = [...kept.counts];
  for (const [i, count] of other.counts.entries()) {
    const bound = other.boundsMs[i] ?? Number.POSITIVE_INFINITY;
    const at = kept.boundsMs.findIndex((each) => each >= bound);
    const slot = at < 0 ? counts.length - 1 : at;
    counts[slot] = (counts[slot] ?? 0) + count;
  }
  return { boundsMs: kept.boundsMs, counts, sumMs: a.sumMs + b.sumMs };
}

/**
 * A quantile, linear within its bucket; the largest bound where it lies beyond, as Prometheus' `histogram_quantile` does.
 *
 * @param q  in (0, 1]
 * @returns  milliseconds; null without observations
 */
export function latencyQuantile({ boundsMs, counts }: LatencyCounts, q: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let before = 0;
  for (const [i, bound] of boundsMs.entries()) {
    const inside = counts[i] ?? 0;
    if (inside > 0 && before + inside >= q * total) {
      const lower = i === 0 ? 0 : (boundsMs[i - 1] ?? 0);
      return lower + ((bound - lower) * (q * total - before)) / inside;
    }
    before += inside;
  }
  return boundsMs.at(-1) ?? null;
}
