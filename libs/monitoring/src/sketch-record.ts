export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** Running totals of one worker, version and hour. */
export interface SketchRecord {
  tenantId: string;
  /** `<tenant>.<task>` */
  model: string;
  version: number;
  /** start of a UTC hour */
  hour: Date;
  /** the worker process that counted */
  worker: string;
  rows: number;
  /** a `TableSketch` */
  sketch: Uint8Array;
}

/** Of a version of which anything was counted. */
export interface CountedVersion {
  tenantId: string;
  model: string;
  version: number;
  rows: number;
}
