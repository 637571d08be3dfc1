import type { Candidate, Credibility, ExpansionPoint, Lookalike, TraitLift } from '@sextant/learning/segment';
import type { SegmentRule } from './segment-rule.js';

export type SegmentKind = 'RULE' | 'CLUSTER' | 'PREDICTED' | 'LOOKALIKE';

/** What decides who belongs to a segment. */
export type SegmentDefinition =
  | { kind: 'RULE'; rule: SegmentRule }
  | { kind: 'CLUSTER'; cluster: number; /** which fit the number belongs to */ generation: number }
  | {
      kind: 'LOOKALIKE';
      seedSegmentId: string;
      /** customers asked for */
      audience: number;
      credibilities: readonly Credibility[];
      model: Lookalike;
      expansion: readonly ExpansionPoint[];
    };

/** How many customers belonged at an instant. */
export interface SegmentSize {
  at: Date;
  size: number;
}

export interface Segment {
  id: string;
  name: string;
  definition: SegmentDefinition;
  size: number;
  /** when `size` was counted */
  measuredAt: Date;
  /** oldest first */
  sizeHistory: SegmentSize[];
  profile: TraitLift[];
  /** CLUSTER: mean adjusted Rand index on bootstrap samples; LOOKALIKE: cross-fitted AUC of seed against rest; else null */
  stability: number | null;
  /** the customers who belong most clearly, at most {@link PREVIEW_SIZE} */
  previewIds: string[];
  createdAt: Date;
}

export const PREVIEW_SIZE = 100;
/** In force of one tenant. */
export const MOST_SEGMENTS = 200;
/** That one discovery can find. */
export const MOST_CLUSTERS = 20;
/** Counts kept of one segment. */
export const HISTORY_LENGTH = 400;

/** A region of recent customers that no segment explains. */
export interface EmergingRegion {
  customers: number;
  expected: number;
  pValue: number;
  description: string;
  customerIds: string[];
}

export type DiscoveryState = 'RUNNING' | 'SUCCEEDED' | 'FAILED';

/** The newest discovery of a tenant. */
export interface Discovery {
  state: DiscoveryState;
  startedAt: Date;
  finishedAt: Date | null;
  failure: { code: string; message: string } | null;
  because: string | null;
  candidates: Candidate[];
  emerging: EmergingRegion | null;
}

export function kindOf({ definition }: Segment): SegmentKind {
  return definition.kind;
}
