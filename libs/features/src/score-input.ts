import { type BehaviourTask, isActiveCustomer } from './behaviour-examples.js';
import type { CustomerState, FeatureVector } from './customer-state.js';
import { featureVector, leadVector } from './feature-vector.js';

/** What the features describe: the newest form, the behaviour so far, or somebody whom the model was not trained for. */
export type ScoreBasis = 'FORM' | 'BEHAVIOUR' | 'UNFAMILIAR';

/** What a score model is asked about. */
export interface ScoreInput {
  basis: ScoreBasis;
  features: FeatureVector;
}

/**
 * What the model of a task is asked about a customer; single and batch scoring ask the same.
 *
 * @param state  holds no event after `at`
 * @param at     decays and recencies are evaluated here; a lead is described as of its newest form
 */
export function scoreInput(task: 'lead' | BehaviourTask, state: CustomerState, at: Date): ScoreInput {
  if (task === 'lead') {
    const features = leadVector(state);
    if (features) return { basis: 'FORM', features };
  }
  const isFamiliar = task !== 'churn' || isActiveCustomer(state, at);
  return { basis: isFamiliar ? 'BEHAVIOUR' : 'UNFAMILIAR', features: featureVector(state, at) };
}
