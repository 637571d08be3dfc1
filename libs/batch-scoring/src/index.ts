export {
  type BatchJob,
  type BatchPlan,
  type BatchRequest,
  type BatchStep,
  type ClaimedBatch,
  etaSecondsOf,
  MAX_FAILED_EXAMPLES,
  processedOf,
  progressOf,
  rateOf,
} from './batch-job.js';
export { BatchJobs } from './batch-jobs.repository.js';
export {
  type BatchEnd,
  type BatchParts,
  BatchRun,
  type BatchSettings,
  DEFAULT_BATCH_SETTINGS,
} from './batch-run.js';
export {
  type CustomerScore,
  CustomerScores,
  type ScoredCustomer,
  type ScoreOrigin,
  type ScorePosition,
} from './customer-scores.repository.js';
