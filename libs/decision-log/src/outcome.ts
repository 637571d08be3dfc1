/** What came of a decision: one thing that happened, once. */
export interface Outcome {
  decisionId: string;
  /** what it was worth; for a score 1: what was foretold came true, 0: it did not */
  reward: number;
  /** when it happened */
  at: Date;
  /** unique in its tenant; the same one again is the same outcome */
  idempotencyKey: string;
}

/** All that came of one decision. */
export interface OutcomeSummary {
  /** sum of the rewards */
  reward: number;
  /** of the newest */
  at: Date;
  /** how many outcomes there are */
  count: number;
  /** recorded by somebody, or shown by the customer's events; what was recorded goes before what events show */
  source: 'RECORDED' | 'EVENTS';
}

/** Rewards are kept within plus and minus this, so that sums stay exact enough to compare. */
export const MAX_REWARD = 1e9;
