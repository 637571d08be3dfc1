import type { Candidate, Credibility, Lookalike, Segmentation, TraitLift } from '@sextant/learning/segment';

/** Features of behaviour of one customer. */
export type BehaviourInput = Record<string, number>;

export interface DiscoverTask {
  kind: 'discover';
  customers: BehaviourInput[];
  maxSegments: number;
  seed: number;
  previous: { credibilities: readonly Credibility[]; segmentation: Segmentation } | null;
}

export interface Discovered {
  credibilities: Credibility[];
  segmentation: Segmentation;
  stability: number;
  because: string;
  candidates: Candidate[];
  clusters: {
    name: string;
    profile: TraitLift[];
    /** cluster of the previous segmentation that it continues */ previous: number | null;
  }[];
}

export interface LookalikeTask {
  kind: 'lookalike';
  customers: BehaviourInput[];
  isSeed: number[];
  size: number;
  seed: number;
  credibilities: readonly Credibility[] | null;
}

export interface LookalikeFound {
  credibilities: Credibility[];
  model: Lookalike;
  auc: number;
  expansion: { size: number; threshold: number; seedRecall: number }[];
}

export type FitTask = DiscoverTask | LookalikeTask;
export type FitReply =
  { ok: true; result: Discovered | LookalikeFound } | { ok: false; code: string; message: string };
