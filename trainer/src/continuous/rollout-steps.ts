import type { RolloutPolicy, Stage } from '@sextant/model-registry';
import type { Judgement } from './challenger-guard.js';

const MINUTE_MS = 60_000;
/** A stage that shows too little is left after this many times its minutes. */
const PATIENCE = 4;

/** A version as the rollout sees it. */
export interface RolloutVersion {
  id: string;
  version: number;
  stage: Stage;
  /** when it came to its stage */
  since: Date;
  /** imported ones are moved by people */
  isTrained: boolean;
  passedGates: boolean;
}

export interface Move {
  id: string;
  to: 'SHADOW' | 'CANARY' | 'LIVE';
  /** of the calls, in [0, 1]; null where it serves all */
  share: number | null;
  /** one English sentence, kept with the version */
  reason: string;
}

/**
 * The next step of a version on its way to service; null where it stays.
 *
 * @param versions   of one model, newest first
 * @param judgement  of the one that is SHADOW or CANARY; null without one
 */
export function nextMove(
  now: Date,
  rollout: RolloutPolicy,
  versions: readonly RolloutVersion[],
  judgement: Judgement | null,
): Move | null {
  if (rollout.mode !== 'GATED') return null;
  const challenger = versions.find(({ stage }) => stage === 'CANARY') ?? versions.find(isShadow);
  if (challenger) return stepOf(now, rollout, challenger, judgement);
  const [newest] = versions;
  if (!newest || newest.stage !== 'CANDIDATE' || !newest.isTrained || !newest.passedGates) return null;
  const hasLive = versions.some(({ stage }) => stage === 'LIVE');
  const to = hasLive ? stageAfter('CANDIDATE', rollout) : 'LIVE';
  const why = hasLive ? '' : ', and nothing is live that it could be compared with';
  return moveOf(newest, to, rollout, `it passed its gates${why}`);
}

function stepOf(
  now: Date,
  rollout: RolloutPolicy,
  challenger: RolloutVersion,
  judgement: Judgement | null,
): Move | null {
  const { stage, since, isTrained, passedGates } = challenger;
  const minutes = stage === 'SHADOW' ? rollout.shadowMinutes : rollout.canaryMinutes;
  // A stage that the policy passes over is one that a person chose: it stays there until a person moves it.
  if (minutes === 0) return null;
  const passed = now.getTime() - since.getTime();
  if (!isTrained || !passedGates || !judgement || judgement.verdict === 'STOP') return null;
  const wait = minutes * MINUTE_MS * (judgement.verdict === 'CONTENT' ? 1 : PATIENCE);
  if (passed < wait) return null;
  const told = `${(passed / MINUTE_MS).toFixed(0)} minutes as ${stage}: ${judgement.sentence}`;
  return moveOf(challenger, stageAfter(stage, rollout), rollout, told);
}

function isShadow({ stage }: RolloutVersion): boolean {
  return stage === 'SHADOW';
}

/** Stages of no minutes are passed over. */
function stageAfter(stage: Stage, { shadowMinutes, canaryMinutes }: RolloutPolicy): Move['to'] {
  if (stage === 'CANDIDATE' && shadowMinutes > 0) return 'SHADOW';
  return stage !== 'CANARY' && canaryMinutes > 0 ? 'CANARY' : 'LIVE';
}

function moveOf({ id }: RolloutVersion, to: Move['to'], rollout: RolloutPolicy, reason: string): Move {
  const share = to === 'LIVE' ? null : to === 'SHADOW' ? rollout.shadowShare : rollout.canaryShare;
  return { id, to, share, reason };
}
