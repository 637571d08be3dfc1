export { decidedAtOf, newDecisionId } from './decision-id.js';
export { DecisionRepository, type DecisionWindow, type JoinedDecision } from './decision.repository.js';
export { EVENT_OUTCOME_DAYS, EventOutcomes, outcomeInEvents } from './event-outcomes.js';
export { type DecidedOutcome, KnownOutcomes, type OutcomeReading } from './known-outcomes.repository.js';
export {
  type DecisionKind,
  type LoggedDecision,
  loggedDecision,
  type NewDecision,
  roughSize,
  type Rung,
} from './logged-decision.js';
export { MAX_REWARD, type Outcome, type OutcomeSummary } from './outcome.js';
export { OutcomeRecorder, type RecordedOutcomes, type RejectedOutcome } from './outcome-recorder.js';
export { type NewOutcome, OutcomeRepository, type StoredOutcomes } from './outcome.repository.js';
