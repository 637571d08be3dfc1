/** Decisions of one loaded version in one hour, as counted on one thread since it last told. */
export interface HourCounts {
  /** of the loaded version, `<model>@<version>/<load>` */
  key: string;
  /** hours since 1970, UTC */
  hour: number;
  /** a `TableSketch` */
  sketch: Uint8Array<ArrayBuffer>;
}

export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;
