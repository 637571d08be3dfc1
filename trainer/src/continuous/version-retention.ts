import type { Stage } from '@sextant/model-registry';

const DAY_MS = 24 * 60 * 60_000;
/** Newest versions that stay whatever they are. */
const NEWEST_KEPT = 3;
/** Versions that were live before and can be rolled back to. */
const LIVE_BEFORE_KEPT = 3;

/** A version as the keep rule sees it. */
export interface KeptVersion {
  version: number;
  stage: Stage;
  /** when it came to its stage */
  since: Date;
  /** when it last left service as the live one; null: it never was */
  leftLiveAt: Date | null;
}

/** What must stay for another reason than its stage. */
export interface Needed {
  /** live, canary, shadow, aliases and versions of the repository's own configuration */
  pointed: ReadonlySet<number>;
  /** of running jobs and batches */
  used: ReadonlySet<number>;
}

/**
 * Versions whose files may go: RETIRED, or CANDIDATE and overtaken, for at least `keepDays`; never one of the newest three, of the last
 * three that were live, or one that something points at.
 *
 * @param versions  of one model, in any order
 */
export function removableVersions(
  now: Date,
  versions: readonly KeptVersion[],
  needed: Needed,
  keepDays: number,
): number[] {
  const newest = versions.map(({ version }) => version).toSorted((a, b) => b - a);
  const liveBefore = versions
    .filter(({ leftLiveAt }) => leftLiveAt !== null)
    .toSorted((a, b) => (b.leftLiveAt?.getTime() ?? 0) - (a.leftLiveAt?.getTime() ?? 0))
    .map(({ version }) => version);
  const kept = new Set([
    ...newest.slice(0, NEWEST_KEPT),
    ...liveBefore.slice(0, LIVE_BEFORE_KEPT),
    ...needed.pointed,
    ...needed.used,
  ]);
  return versions
    .filter(({ stage }) => stage === 'RETIRED' || stage === 'CANDIDATE')
    .filter(({ since }) => now.getTime() - since.getTime() >= keepDays * DAY_MS)
    .map(({ version }) => version)
    .filter((version) => !kept.has(version))
    .toSorted((a, b) => a - b);
}

/**
 * Whether a live version serves nobody any more.
 *
 * @param days      of the policy; null: never
 * @param lastRead  when somebody last asked it, as far as anybody knows; null: never
 */
export function isUnread(
  now: Date,
  days: number | null,
  { liveSince, lastRead }: { liveSince: Date; lastRead: Date | null },
): boolean {
  if (days === null) return false;
  const quietSince = Math.max(liveSince.getTime(), lastRead?.getTime() ?? 0);
  return now.getTime() - quietSince >= days * DAY_MS;
}
