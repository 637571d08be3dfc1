export { adjustedRandIndex, clusterSizes, silhouettes } from './cluster-quality.js';
export {
  type Candidate,
  chooseSegments,
  type ChosenSegments,
  type SegmentOptions,
} from './choose-segments.js';
export type { ClusterMethod } from './cluster-method.js';
export {
  fitGaussianMixture,
  type GaussianMixture,
  mixturePosterior,
  type MixtureOptions,
} from './gaussian-mixture.js';
export { fitKMeans, type KMeans, type KMeansOptions, nearestCentres } from './k-means.js';
export { completeRows, type Points, pointsOf, takePoints } from './points.js';
export { applyScaling, type ColumnScale, fitScaling } from './scaling.js';
export { assignSegments, type Membership, type Segmentation } from './segmentation.js';
export { fitSparseKMeans, type SparseKMeans } from './sparse-k-means.js';
export {
  BEHAVIOUR_RATES,
  type BehaviourRate,
  behaviourPoints,
  behaviourRow,
  type Credibility,
  fitBehaviour,
  hasBehaviour,
} from './behaviour.js';
export { matchSegments, SAME_SEGMENT_OVERLAP } from './match-segments.js';
export { nameSegments, type ProfiledFeature, profileSegments, type TraitLift } from './profile.js';
export { betaBinomialTail, type EmergingSegment, findEmerging } from './emerging.js';
export { RFM_NAMES, type RfmName, type RfmRow, type RfmScore, rfmScores } from './rfm.js';
export {
  type ExpansionPoint,
  findLookalikes,
  type Lookalike,
  type LookalikeResult,
  lookalikeScores,
} from './lookalike.js';
