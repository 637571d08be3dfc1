import type { ScoreTask } from '@sextant/artefacts';
import {
  type CustomerState,
  type FeatureVector,
  featureVector,
  isActiveCustomer,
  leadVector,
} from '@sextant/features';
import type { LeadScore } from '@sextant/inference-protocol';
import { ENGAGEMENT_RULE, scoreByEngagement } from './engagement-rule.js';
import {
  type Band,
  CHURN_PLAYBOOKS,
  LEAD_PLAYBOOKS,
  type Playbooks,
  PURCHASE_PLAYBOOKS,
} from './playbook.js';
import { churnByRecency, purchaseByRecency, RECENCY_RULE, RECENCY_RULE_DAYS } from './recency-rule.js';

/** What the features describe; see the schema. */
export type ScoreBasis = 'FORM' | 'BEHAVIOUR' | 'UNFAMILIAR';

/** What a model is asked about. */
export interface ScoreInput {
  basis: ScoreBasis;
  features: FeatureVector;
}

/** Where the scores of the tasks differ. */
export interface ScoreProfile {
  task: ScoreTask;
  inputOf(state: CustomerState, at: Date): ScoreInput;
  rule: {
    modelId: string;
    score(features: FeatureVector): LeadScore;
    /** null: whatever the model's would be */
    horizonDays: number | null;
  };
  playbooks: Playbooks;
  /** of an answer whose band is none of ours */
  lowestBand: Band;
}

export const SCORE_PROFILES: Readonly<Record<ScoreTask, ScoreProfile>> = {
  lead: {
    task: 'lead',
    inputOf: (state, at) => {
      const features = leadVector(state);
      return features ? { basis: 'FORM', features } : behaviourOf(state, at);
    },
    rule: { modelId: ENGAGEMENT_RULE, score: scoreByEngagement, horizonDays: null },
    playbooks: LEAD_PLAYBOOKS,
    lowestBand: 'COLD',
  },
  churn: {
    task: 'churn',
    inputOf: (state, at) => ({
      ...behaviourOf(state, at),
      basis: isActiveCustomer(state, at) ? 'BEHAVIOUR' : 'UNFAMILIAR',
    }),
    rule: { modelId: RECENCY_RULE, score: churnByRecency, horizonDays: RECENCY_RULE_DAYS.churn },
    playbooks: CHURN_PLAYBOOKS,
    lowestBand: 'LOW',
  },
  purchase: {
    task: 'purchase',
    inputOf: behaviourOf,
    rule: { modelId: RECENCY_RULE, score: purchaseByRecency, horizonDays: RECENCY_RULE_DAYS.purchase },
    playbooks: PURCHASE_PLAYBOOKS,
    lowestBand: 'LOW',
  },
};

function behaviourOf(state: CustomerState, at: Date): ScoreInput {
  return { basis: 'BEHAVIOUR', features: featureVector(state, at) };
}
