export {
  type FeatureDrift,
  type Finding,
  FINDING_KINDS,
  type FindingKind,
  type MonitoringReport,
  type Window,
} from './monitoring-report.js';
export { ReportRepository } from './report.repository.js';
export { type CountedVersion, HOUR_MS, MINUTE_MS, type SketchRecord } from './sketch-record.js';
export { type MergedSketch, SketchRepository } from './sketch.repository.js';
export { type UncountedVersion, UncountedVersions } from './uncounted.repository.js';
export { TrafficRepository } from './traffic.repository.js';
export {
  addTraffic,
  type LatencyCounts,
  latencyQuantile,
  NO_SHADOW,
  type ShadowComparison,
  type Traffic,
  TRAFFIC_ROLES,
  type TrafficRole,
  type TrafficSlot,
  type VersionTraffic,
} from './traffic-slot.js';
