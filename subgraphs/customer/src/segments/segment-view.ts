import type { TraitLift } from '@sextant/learning/segment';
import type { SegmentDefinition } from './segment.js';

/** Traits shown of a segment. */
const SHOWN = 8;

export interface TraitView {
  feature: string;
  segmentMean: number;
  populationMean: number;
  lift: number | null;
  difference: number;
}

/** The traits that differ most; a lift over a mean of 0 is unknown. */
export function profileView(profile: readonly TraitLift[]): TraitView[] {
  return profile.slice(0, SHOWN).map((trait) => ({
    ...trait,
    lift: Number.isFinite(trait.lift) ? trait.lift : null,
  }));
}

/** What decides about members, without the numbers of the model. */
export function definitionView(definition: SegmentDefinition): unknown {
  if (definition.kind === 'RULE') return definition.rule;
  if (definition.kind === 'CLUSTER') return { cluster: definition.cluster };
  const { seedSegmentId, audience, model, expansion } = definition;
  return {
    seedSegmentId,
    size: audience,
    threshold: model.threshold,
    features: model.columns,
    expansion,
  };
}
