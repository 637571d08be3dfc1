import type { CustomerState, Scalar } from '@sextant/features';

/** A customer as the graph shows one; follows from the online state and is stored to be listed. */
export interface Customer {
  id: string;
  ref: string;
  firstSeenAt: Date;
  lastSeenAt: Date;
  activity: Activity;
  traits: Readonly<Record<string, Scalar>>;
  accountRef: string | null;
}

/** What the lifecycle follows from. */
export interface Activity {
  lastActiveAt: Date | null;
  /** first order or interaction */
  engagedAt: Date | null;
  /** newest lead form */
  leadAt: Date | null;
}

export function activityOf(state: CustomerState): Activity {
  return {
    lastActiveAt: dateOrNull(state.lastActiveAt),
    engagedAt: dateOrNull(state.engagedAt),
    leadAt: dateOrNull(state.lead?.at ?? null),
  };
}

function dateOrNull(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
