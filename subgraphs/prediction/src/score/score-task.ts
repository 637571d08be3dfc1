import type { ScoreTask } from '@sextant/artefacts';
import type { FeatureVector } from '@sextant/features';
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

/** Where the scores of the tasks differ. */
export interface ScoreProfile {
  task: ScoreTask;
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
    rule: { modelId: ENGAGEMENT_RULE, score: scoreByEngagement, horizonDays: null },
    playbooks: LEAD_PLAYBOOKS,
    lowestBand: 'COLD',
  },
  churn: {
    task: 'churn',
    rule: { modelId: RECENCY_RULE, score: churnByRecency, horizonDays: RECENCY_RULE_DAYS.churn },
    playbooks: CHURN_PLAYBOOKS,
    lowestBand: 'LOW',
  },
  purchase: {
    task: 'purchase',
    rule: { modelId: RECENCY_RULE, score: purchaseByRecency, horizonDays: RECENCY_RULE_DAYS.purchase },
    playbooks: PURCHASE_PLAYBOOKS,
    lowestBand: 'LOW',
  },
};
