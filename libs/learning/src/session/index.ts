export { chooseSessionModel, type SessionChoice, type SessionChoiceOptions } from './choose-session-model.js';
export { evaluateSessions, type SessionQuality, type SessionScorer } from './evaluate-sessions.js';
export { explainSessionItem, type SessionReason } from './explain-session-item.js';
export {
  DEFAULT_SESSION_SETTINGS,
  fitSessionModel,
  priorOf,
  scoreSession,
  type SessionModel,
  sessionPolicy,
  type SessionSettings,
  weighSession,
  type WeighedSession,
} from './session-model.js';
export {
  type IndexedSession,
  type IndexedSessions,
  indexSessions,
  type Session,
  splitBySilence,
} from './sessions.js';
export { denseTransitions, type Transitions } from './transitions.js';
