export {
  type FeatureDrift,
  type Finding,
  FINDING_KINDS,
  type FindingKind,
  type MonitoringReport,
  type Window,
} from './monitoring-report.js';
