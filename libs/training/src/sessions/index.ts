export { evaluateSessionData, type SessionEvaluation } from './evaluate-session-data.js';
export {
  type SessionTrainingOptions,
  trainSessionModel,
  type TrainedSessionModel,
} from './train-session-model.js';
