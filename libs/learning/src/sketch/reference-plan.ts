import type { MonitoringReference, ReferenceFeature, ReferenceScore } from '@sextant/artefacts';
import { type ColumnPlan, SketchPlan } from './column-plan.js';

/** What is counted for a version: the columns of its `monitor.json`. @throws DomainError INVALID_INPUT for a plan that cannot be used */
export function planOfReference({
  features,
  scores,
}: Pick<MonitoringReference, 'features' | 'scores'>): SketchPlan {
  return new SketchPlan({ features: features.map(planOfColumn), scores: scores.map(planOfColumn) });
}

function planOfColumn({ name, binning }: ReferenceFeature | ReferenceScore): ColumnPlan {
  return { name, ...binning };
}
