export { openModelRepository } from './open-model-repository.js';
export { type ModelVersion, modelVersionId, ModelVersions, type Stage } from './model-versions.repository.js';
export {
  type ClaimedJob,
  DEFAULT_MAX_MINUTES,
  type JobFailure,
  type JobProgress,
  type JobState,
  type Lease,
  MAX_LOG_LINE_CHARACTERS,
  MAX_LOG_LINES,
  type TrainingJob,
  type TrainingRequest,
} from './training-job.js';
export { DEFAULT_LEASE_MS, MAX_ATTEMPTS, TrainingJobs } from './training-jobs.repository.js';
