import type { GateName } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { type ModelVersion, type Stage, type StageChange, STAGES } from './model-version.js';
import type { ServedVersions, SharedVersion, StageMove } from './stage-states.repository.js';

/** What is to become of a model's versions, and so of what the repository says. */
export interface StagePlan {
  after: ServedVersions;
  moves: StageMove[];
  formerLive: string[];
}

/** Where a model stands. */
export interface Standing {
  /** LIVE, CANARY and SHADOW */
  serving: readonly ModelVersion[];
  /** ids of the versions that were live before, oldest first */
  formerLive: readonly string[];
}

/** Who does something, when and why. */
export interface Signature {
  by: string;
  at: Date;
  reason: string | null;
  overridden: GateName[];
}

/** A stage that gets calls, and its share of them. */
export interface Aim {
  to: 'SHADOW' | 'CANARY' | 'LIVE';
  /** in (0, 1]; null for LIVE */
  share: number | null;
}

/**
 * Brings a version into a stage. Who was in that stage retires: there is at most one of each.
 *
 * @returns null when the version is there already, with that share
 * @throws DomainError MODEL_STAGE_INVALID for a way back, or a challenger of a model that has nothing live
 */
export function planPromotion(
  target: ModelVersion,
  standing: Standing,
  aim: Aim,
  signature: Signature,
): StagePlan | null {
  const { to, share } = aim;
  if (target.stage === to && target.share === share) return null;
  const isForward = target.stage === 'RETIRED' || STAGES.indexOf(to) >= STAGES.indexOf(target.stage);
  if (!isForward) {
    const remedy =
      target.stage === 'LIVE' ? 'roll the model back, or promote another version' : 'retire it first';
    throw new DomainError(
      'MODEL_STAGE_INVALID',
      `${target.id} is ${target.stage} and cannot go back to ${to}: ${remedy}`,
      { path: 'to' },
    );
  }
  const live = standing.serving.find(({ stage }) => stage === 'LIVE');
  if (to !== 'LIVE' && live === undefined) {
    const message = `${target.model} has no live version that ${target.id} could be compared with: promote it to LIVE`;
    throw new DomainError('MODEL_STAGE_INVALID', message, { path: 'to' });
  }
  const replaced = standing.serving.filter(({ id, stage }) => stage === to && id !== target.id);
  const moves = [
    moved(target, to, { share, signature }),
    ...replaced.map((version) =>
      moved(version, 'RETIRED', { share: null, signature: replacedBy(target, signature) }),
    ),
  ];
  const formerLive = to === 'LIVE' ? pushed(standing, live, target) : [...standing.formerLive];
  return planned(standing, [target], { moves, formerLive });
}

/** A challenger or a candidate leaves for good. @throws DomainError MODEL_STAGE_INVALID for a live version */
export function planStop(target: ModelVersion, standing: Standing, signature: Signature): StagePlan | null {
  if (target.stage === 'RETIRED') return null;
  if (target.stage === 'LIVE') {
    const message = `${target.id} is LIVE: roll ${target.model} back, promote another version, or retire the model`;
    throw new DomainError('MODEL_STAGE_INVALID', message, { path: 'versionId' });
  }
  const moves = [moved(target, 'RETIRED', { share: null, signature })];
  return planned(standing, [target], { moves, formerLive: [...standing.formerLive] });
}

/** The whole model leaves service: whoever gets calls retires. */
export function planRetirement(standing: Standing, signature: Signature): StagePlan | null {
  if (standing.serving.length === 0) return null;
  const moves = standing.serving.map((version) => moved(version, 'RETIRED', { share: null, signature }));
  const live = standing.serving.find(({ stage }) => stage === 'LIVE');
  return planned(standing, [], { moves, formerLive: pushed(standing, live, null) });
}

/**
 * The version that was live before answers again, and the one that is live retires; a second rollback goes one further back,
 * never to a version that was rolled back from.
 */
export function planRollback(former: ModelVersion, standing: Standing, signature: Signature): StagePlan {
  const leaving = standing.serving.filter(({ id, stage }) => stage === 'LIVE' && id !== former.id);
  const moves = [
    moved(former, 'LIVE', { share: null, signature }),
    ...leaving.map((version) => moved(version, 'RETIRED', { share: null, signature })),
  ];
  const at = standing.formerLive.lastIndexOf(former.id);
  return planned(standing, [former], {
    moves,
    formerLive: at < 0 ? [] : standing.formerLive.slice(0, at),
  });
}

/** What the records say of who serves. */
export function servedVersions(versions: readonly ModelVersion[]): ServedVersions {
  const shared = (stage: Stage): SharedVersion | null => {
    const found = versions.find((version) => version.stage === stage);
    return found ? { version: found.version, share: found.share ?? 0 } : null;
  };
  return {
    live: versions.find(({ stage }) => stage === 'LIVE')?.version ?? null,
    canary: shared('CANARY'),
    shadow: shared('SHADOW'),
  };
}

function planned(
  { serving }: Standing,
  joining: readonly ModelVersion[],
  plan: Omit<StagePlan, 'after'>,
): StagePlan {
  const known = new Map([...serving, ...joining].map((version) => [version.id, version]));
  for (const { versionId, stage, share } of plan.moves) {
    const version = known.get(versionId);
    if (version) known.set(versionId, { ...version, stage, share });
  }
  return { after: servedVersions([...known.values()]), ...plan };
}

function moved(
  { id, stage: from }: ModelVersion,
  stage: Stage,
  { share, signature }: { share: number | null; signature: Signature },
): StageMove {
  const change: StageChange = { from, to: stage, ...signature };
  return { versionId: id, stage, share, change };
}

function replacedBy({ id }: ModelVersion, { by, at }: Signature): Signature {
  return { by, at, reason: `replaced by ${id}`, overridden: [] };
}

/** A version that comes back to life is no former one any more. */
function pushed(
  { formerLive }: Standing,
  live: ModelVersion | undefined,
  next: ModelVersion | null,
): string[] {
  const kept = formerLive.filter((id) => id !== next?.id && id !== live?.id);
  return live && live.id !== next?.id ? [...kept, live.id] : kept;
}
