import { type BehaviourTask, isActiveCustomer } from './behaviour-examples.js';
import type { CustomerState, FeatureVector } from './customer-state.js';
import { type FeatureReader, featureReader, featureVector, leadVector } from './feature-vector.js';

/** What the features describe: the newest form, the behaviour so far, or somebody whom the model was not trained for. */
export type ScoreBasis = 'FORM' | 'BEHAVIOUR' | 'UNFAMILIAR';

/** What a score model is asked about. */
export interface ScoreInput {
  basis: ScoreBasis;
  features: FeatureVector;
}

/** `lead`, or what is foretold from behaviour alone. */
export type ScoredTask = 'lead' | BehaviourTask;

/**
 * What the model of a task is asked about a customer; single and batch scoring ask the same.
 *
 * @param state  holds no event after `at`
 * @param at     decays and recencies are evaluated here; a lead is described as of its newest form
 */
export function scoreInput(task: ScoredTask, state: CustomerState, at: Date): ScoreInput {
  const features = (task === 'lead' ? leadVector(state) : null) ?? featureVector(state, at);
  return { basis: scoreBasis(task, state, at), features };
}

/** What the features of {@link scoreInput} describe. */
export function scoreBasis(task: ScoredTask, state: CustomerState, at: Date): ScoreBasis {
  if (task === 'lead' && state.lead) return 'FORM';
  return task !== 'churn' || isActiveCustomer(state, at) ? 'BEHAVIOUR' : 'UNFAMILIAR';
}

/** Reads the one feature that {@link scoreInput} has under this name, without making the others. */
export function scoreFeature(task: ScoredTask, name: string): FeatureReader {
  const read = featureReader(name);
  if (task !== 'lead') return read;
  return (state, now) => {
    const features = leadVector(state);
    return features ? (features[name] ?? null) : read(state, now);
  };
}
