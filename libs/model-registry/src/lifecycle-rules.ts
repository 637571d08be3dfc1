import type { Gate } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { ModelPolicy } from './model-policies.repository.js';
import type { ModelVersion, Stage } from './model-version.js';
import type { Aim, Signature } from './stage-plans.js';

const MIN_REASON_CHARACTERS = 10;
const MAX_REASON_CHARACTERS = 500;

/** Gates that stop a version. One that was never measured is stopped, too: nothing passes unseen. */
export function failedGates({ gates }: ModelVersion): Gate[] {
  if (gates.length > 0) return gates.filter(({ passed }) => !passed);
  return [
    {
      name: 'complete-card',
      required: 'gates measured when the version was made',
      observed: 'none was',
      passed: false,
    },
  ];
}

interface Signing {
  by: string;
  override: string | null;
  failed: readonly Gate[];
}

/** @throws DomainError INVALID_INPUT for an override that gives no reason, or one that is too long */
export function signedBy({ by, override, failed }: Signing): Omit<Signature, 'at'> {
  const reason = override?.trim() ?? null;
  if (reason === null) return { by, reason: null, overridden: [] };
  if (reason.length < MIN_REASON_CHARACTERS || reason.length > MAX_REASON_CHARACTERS) {
    const message = `override has ${reason.length} characters: say in ${MIN_REASON_CHARACTERS} to ${MAX_REASON_CHARACTERS} why the gates are overridden, it is kept with the version`;
    throw new DomainError('INVALID_INPUT', message, { path: 'override' });
  }
  return { by, reason, overridden: failed.map(({ name }) => name) };
}

/** @throws DomainError INVALID_INPUT for a stage that nothing is promoted to, or a share that is none */
export async function shareOf(
  { to, share }: { to: Stage; share?: number | null },
  policy: () => Promise<ModelPolicy>,
): Promise<Aim> {
  if (to === 'CANDIDATE' || to === 'RETIRED') {
    throw new DomainError('INVALID_INPUT', `nothing is promoted to ${to}: choose SHADOW, CANARY or LIVE`, {
      path: 'to',
    });
  }
  if (to === 'LIVE') {
    if (share == null) return { to, share: null };
    throw new DomainError('INVALID_INPUT', `share is for SHADOW and CANARY: leave ${share} out`, {
      path: 'share',
    });
  }
  const { rollout } = await policy();
  const taken = share ?? (to === 'SHADOW' ? rollout.shadowShare : rollout.canaryShare);
  if (taken > 0 && taken <= 1) return { to, share: taken };
  throw new DomainError(
    'INVALID_INPUT',
    `share ${taken} must lie above 0 and be at most 1: the part of the calls`,
    {
      path: 'share',
    },
  );
}
