/** The messages of `sextant/monitoring/v1/monitoring.proto` as they are read; the comments there give units. */
export interface VersionCounts {
  model: string;
  version: string;
  hour: number;
  rows: number;
  sketch: Buffer;
}

export interface ShadowTrafficMessage {
  runs: number;
  failures: number;
  dropped: number;
  values: number;
  sumAbsoluteDifference: number;
  maxAbsoluteDifference: number;
}

export interface VersionTrafficMessage {
  model: string;
  version: string;
  minute: number;
  role: string;
  calls: number;
  failures: number;
  rejected: number;
  latencyCounts: number[];
  latencyBoundsMs: number[];
  latencySumMs: number;
  batches: number;
  rows: number;
  computeMs: number;
  shadow: ShadowTrafficMessage | null;
}

export interface UncountedVersionMessage {
  model: string;
  version: string;
  reason: string;
}

export interface WorkerReport {
  worker: string;
  counts: VersionCounts[];
  traffic: VersionTrafficMessage[];
  uncounted: UncountedVersionMessage[];
  isLast: boolean;
}
