export { type AssignmentExample, assignmentExamples, CONTROL_ACTION } from './assignment-examples.js';
export {
  ACTIVE_WITHIN_DAYS,
  type BehaviourExample,
  behaviourExamples,
  type BehaviourTask,
  isActiveCustomer,
  type SnapshotOptions,
} from './behaviour-examples.js';
export { calendarContext, type DemandContext } from './calendar-context.js';
export {
  CONSENT_STATES,
  type ConsentRecord,
  type Consents,
  type ConsentState,
  consentStateAt,
  type Purpose,
  PURPOSES,
} from './consent.js';
export { customerIdOf } from './customer-id.js';
export {
  type CustomerState,
  emptyState,
  type FeatureVector,
  FOLD_VERSION,
  type LeadSnapshot,
} from './customer-state.js';
export { addDecayed, DAY_MS, type DecayedSum, decayedAt, HALF_LIVES_DAYS } from './decayed-counter.js';
export { DEMAND_EVENT_TYPES, DemandLedger, type DemandObservation } from './demand-ledger.js';
export { EventDigest } from './event-digest.js';
export { type CustomerEvents, EventHistory, type HistoryOptions } from './event-history.repository.js';
export {
  FeatureStore,
  type OnlineCustomer,
  type PageOptions,
  type PopularItem,
} from './feature-store.repository.js';
export { type FeatureReader, featureReader, featureVector, leadVector } from './feature-vector.js';
export { foldEvents, MAX_TRAITS } from './fold-events.js';
export {
  type Interaction,
  type InteractionColumns,
  type InteractionKind,
  interactionRows,
  interactionsOf,
  NOT_RELEVANT,
  MAX_INTERACTIONS,
} from './interactions.js';
export { type LeadExample, leadExamples } from './lead-examples.js';
export {
  addPurchase,
  orderValueOf,
  type Purchase,
  purchaseDayOf,
  type PurchaseDays,
  type PurchaseSummary,
  purchaseSummary,
} from './purchase-days.js';
export {
  type ScoreBasis,
  scoreBasis,
  type ScoredTask,
  scoreFeature,
  type ScoreInput,
  scoreInput,
} from './score-input.js';
export {
  COMPANY_EVENT_TYPES,
  type CompanyEventType,
  compareEvents,
  CONSENT_EVENT_TYPE,
  CUSTOMER_EVENT_TYPES,
  type CustomerEventType,
  eventIdOf,
  eventKey,
  EVENTS_COLLECTION,
  FEATURES_COLLECTION,
  isScalar,
  numberOf,
  type OrderLine,
  orderLinesOf,
  type Scalar,
  type StoredEvent,
  textOf,
} from './stored-event.js';
export {
  type ConsentPolicy,
  DEFAULT_CONSENT_POLICY,
  type TrainingConsent,
  TrainingConsents,
} from './training-consent.repository.js';
