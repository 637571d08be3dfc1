import type { FeatureVector } from '@sextant/features';
import {
  assignSegments,
  behaviourRow,
  type Credibility,
  hasBehaviour,
  lookalikeScores,
  type Membership as ClusterMembership,
  pointsOf,
  type Segmentation,
} from '@sextant/learning/segment';
import { kindOf, type Segment, type SegmentKind } from './segment.js';
import { meetsRule } from './segment-rule.js';

/** Everything that says who belongs where: the segments of a tenant and what its clusters and lookalikes are computed with. */
export interface SegmentModel {
  segments: readonly Segment[];
  behaviour: BehaviourModel | null;
}

/** The credible rates and the clusters fitted on them. */
export interface BehaviourModel {
  credibilities: readonly Credibility[];
  segmentation: Segmentation;
  fittedAt: Date;
  /** counts the fits of a tenant */
  generation: number;
}

export interface SegmentMembership {
  segment: Segment;
  /** CLUSTER: posterior; LOOKALIKE: likeness to the seed; null for a rule */
  probability: number | null;
}

/** The segments of one customer. Pure: the same vector and model give the same memberships, here and in the count of sizes. */
export function membershipsOf(
  { segments, behaviour }: SegmentModel,
  features: FeatureVector,
): SegmentMembership[] {
  const row = behaviour && hasBehaviour(features) ? behaviourRow(behaviour.credibilities, features) : null;
  const cluster = row && behaviour ? (assignSegments(behaviour.segmentation, [row])[0] ?? null) : null;
  const byId = new Map(segments.map((segment) => [segment.id, segment]));
  const known = { features, cluster, generation: behaviour?.generation ?? 0, byId };
  return segments.flatMap((segment) => {
    const probability = probabilityOf(segment, known);
    return probability === undefined ? [] : [{ segment, probability }];
  });
}

const KINDS: readonly SegmentKind[] = ['CLUSTER', 'LOOKALIKE', 'RULE'];

/** The cluster, then lookalikes by likeness, then rules, oldest first. */
export function inOrder(memberships: readonly SegmentMembership[]): SegmentMembership[] {
  const rank = ({ segment }: SegmentMembership): number => KINDS.indexOf(kindOf(segment));
  return memberships.toSorted(
    (one, other) => rank(one) - rank(other) || (other.probability ?? 0) - (one.probability ?? 0),
  );
}

interface Known {
  features: FeatureVector;
  cluster: ClusterMembership | null;
  generation: number;
  byId: ReadonlyMap<string, Segment>;
}

/** undefined for a customer who does not belong. */
function probabilityOf({ definition }: Segment, known: Known): number | null | undefined {
  if (definition.kind === 'RULE') return meetsRule(definition.rule, known.features) ? null : undefined;
  if (definition.kind === 'CLUSTER')
    return definition.generation === known.generation && known.cluster?.segment === definition.cluster
      ? known.cluster.probability
      : undefined;
  if (!hasBehaviour(known.features)) return undefined;
  const seed = known.byId.get(definition.seedSegmentId);
  if (seed && seed.definition.kind !== 'LOOKALIKE' && probabilityOf(seed, known) !== undefined)
    return undefined;
  const [score = 0] = lookalikeScores(
    definition.model,
    pointsOf([behaviourRow(definition.credibilities, known.features)]),
  );
  return score >= definition.model.threshold ? score : undefined;
}
