import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelCatalogue } from '../models/model-catalogue.js';
import type { UncountedVersion } from './monitoring-feed.js';
import type { TrafficRole } from './traffic-ledger.js';

const LOOK_AGAIN_MS = 10;

/** Versions in memory of which nothing is counted, and why. */
export function uncountedOf(catalogue: ModelCatalogue): UncountedVersion[] {
  return catalogue.list().flatMap(({ model, version, watching }) => {
    return watching.plan === null ? [{ model, version, reason: watching.reason }] : [];
  });
}

/** What a version is for now. */
export function roleOf(catalogue: ModelCatalogue, model: string, version: string): TrafficRole {
  const routing = catalogue.routingOf(model);
  if (routing?.live === version) return 'live';
  if (routing?.canary?.version === version) return 'canary';
  return routing?.shadow?.version === version ? 'shadow' : 'other';
}

/** Settles once no call uses a version any more, at the latest after `mostMs`. */
export async function untilNothingRuns(catalogue: ModelCatalogue, mostMs: number): Promise<void> {
  const deadline = performance.now() + mostMs;
  const isInUse = (): boolean => catalogue.slots().some((slot) => slot.isInUse);
  while (isInUse() && performance.now() < deadline) await sleep(LOOK_AGAIN_MS);
}
