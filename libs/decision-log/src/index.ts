export { DecisionRepository } from './decision.repository.js';
export type { DecisionKind, LoggedDecision, Rung } from './logged-decision.js';
