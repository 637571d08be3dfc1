import type { ScoreTask } from '@sextant/artefacts';

export type DecisionKind = 'recommend' | 'price' | 'lifetime' | 'uplift' | ScoreTask;
export type Rung = 'MODEL' | 'CACHE' | 'HEURISTIC';

/** One row of the decision log: what was decided, on what, and by whom. */
export interface LoggedDecision {
  id: string;
  tenantId: string;
  kind: DecisionKind;
  subject: string;
  /** the person it concerns, where one is known, so that outcomes and erasure find it */
  customerId: string | null;
  at: Date;
  modelVersion: string;
  rung: Rung;
  fallbackReason: string | null;
  input: unknown;
  inputHash: string;
  output: Record<string, unknown>;
  propensity: number | null;
}
