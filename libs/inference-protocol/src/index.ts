export type { CallOptions, CallPriority } from './call-options.js';
export { createDecisionsClient, type DecisionsClient } from './decisions.client.js';
export type {
  ActionOffer,
  Attribution,
  CategoricalColumn,
  ChooseActionsRequest,
  ChooseActionsResponse,
  Decoded,
  FeatureContribution,
  FeatureTable,
  ForecastValueRequest,
  ForecastValueResponse,
  GuardrailOutcome,
  ItemReason,
  LeadScore,
  NumericColumn,
  PredictDemandRequest,
  PredictDemandResponse,
  PriceRounding,
  Quote,
  QuotePricesRequest,
  QuotePricesResponse,
  QuoteRow,
  RankedItem,
  RecommendRequest,
  RecommendResponse,
  RecommendRow,
  RefusedAction,
  ScoreLeadsRequest,
  ScoreLeadsResponse,
  ServedBy,
  Slate,
} from './decisions-messages.js';
export {
  addColumn,
  type FeatureCell,
  float64Bytes,
  readFloat64,
  readInt32,
  toFeatureTable,
} from './feature-table.js';
export { STATUS_OF_KIND, type StatusAnswer, toDomainError, toStatusAnswer } from './grpc-status.js';
export {
  decisionsService,
  healthService,
  monitoringService,
  openInferenceService,
} from './service-definitions.js';
export {
  CONTENTS,
  type ContentsField,
  decodeInferRequest,
  type InferInput,
  type InferParameters,
  type InferRequest,
  type TypedContents,
} from './open-inference/infer-request.js';
export {
  encodeInferResponse,
  type ResponseFrame,
  responseFrame,
  type ResponseOutput,
} from './open-inference/infer-response.js';
export { MalformedMessageError } from './open-inference/wire-reader.js';
export {
  ADDRESS_FORM,
  isWorkerAddress,
  parseWorkerAddress,
  type WorkerAddress,
} from './discovery/worker-address.js';
export type {
  UncountedVersionMessage,
  VersionCounts,
  VersionTrafficMessage,
  WorkerReport,
} from './monitoring/monitoring-messages.js';
export { type WatchedWorker, WorkersWatch, type WorkersWatchOptions } from './monitoring/workers-watch.js';
export type { PoolState } from './pool/balancer.js';
export type { BreakerReason, BreakerState } from './pool/circuit-breaker.js';
export type { AttemptEnd, AttemptKind, AttemptStart, PoolObserver } from './pool/pool-observer.js';
export type { Hedging, WorkerPoolOptions } from './pool/pool-options.js';
export { type EndpointStatus, WorkerPool } from './pool/worker-pool.js';
export { PUSHBACK_KEY, STATUS_DETAILS_KEY } from './retry-hint.js';
