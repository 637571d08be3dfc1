export { type FairnessSlice, type Gate, GATE_NAMES, type GateName } from './gate.js';
export { ModelLifecycle, type Promotion, type Reasoned } from './model-lifecycle.js';
export {
  defaultPolicy,
  ModelPolicies,
  type ModelPolicy,
  type PlaybookEntry,
  type RetrainPolicy,
  type RolloutPolicy,
} from './model-policies.repository.js';
export { openModelRepository } from './open-model-repository.js';
export {
  type ModelOrigin,
  type ModelVersion,
  modelVersionId,
  type Stage,
  type StageChange,
  STAGES,
} from './model-version.js';
export { type Findings, ModelVersions } from './model-versions.repository.js';
export {
  type ClaimedJob,
  DEFAULT_MAX_MINUTES,
  DEFAULT_SEED,
  type JobFailure,
  type JobProgress,
  type JobState,
  type Lease,
  MAX_LOG_LINE_CHARACTERS,
  MAX_LOG_LINES,
  type TrainingJob,
  type TrainingRequest,
} from './training-job.js';
export { TrainingMembers } from './training-members.repository.js';
export { DEFAULT_LEASE_MS, MAX_ATTEMPTS, TrainingJobs } from './training-jobs.repository.js';
export { type LatestTraining, TrainingHistory } from './training-history.repository.js';
export { type Challenge, Challenges } from './challenges.repository.js';
