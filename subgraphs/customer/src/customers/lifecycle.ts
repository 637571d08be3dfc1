import { DAY_MS } from '@sextant/features';
import type { Activity } from './customer.js';

export const LIFECYCLE_STAGES = [
  'ANONYMOUS',
  'LEAD',
  'NEW',
  'ACTIVE',
  'AT_RISK',
  'DORMANT',
  'CHURNED',
] as const;
export type LifecycleStage = (typeof LIFECYCLE_STAGES)[number];

/** Days since the last activity up to which a customer is active, at risk, dormant; bounds are inclusive. */
const ACTIVE_DAYS = 30;
const AT_RISK_DAYS = 90;
const DORMANT_DAYS = 180;
/** Days since the first order or interaction up to which an active customer is new. */
const NEW_DAYS = 30;

/**
 * The stage at an instant: without an order or interaction LEAD (a form was submitted) or ANONYMOUS; with one, by days
 * since the last activity: up to 30 NEW (first engaged at most 30 days ago) or ACTIVE, up to 90 AT_RISK, up to 180
 * DORMANT, beyond CHURNED.
 */
export function lifecycleOf({ lastActiveAt, engagedAt, leadAt }: Activity, now: Date): LifecycleStage {
  if (!engagedAt || !lastActiveAt) return leadAt ? 'LEAD' : 'ANONYMOUS';
  if (lastActiveAt >= daysBefore(now, ACTIVE_DAYS))
    return engagedAt >= daysBefore(now, NEW_DAYS) ? 'NEW' : 'ACTIVE';
  if (lastActiveAt >= daysBefore(now, AT_RISK_DAYS)) return 'AT_RISK';
  return lastActiveAt >= daysBefore(now, DORMANT_DAYS) ? 'DORMANT' : 'CHURNED';
}

/** A closed or half-open range of time; null stands for "absent", undefined for "any". */
export interface ActivityRange {
  lastActiveAt?: { $gte?: Date; $lt?: Date };
  engagedAt: { $gte?: Date; $lt?: Date; $ne?: null } | null;
  leadAt?: { $ne: null } | null;
}

/** The conditions under which {@link lifecycleOf} says `stage`, as a filter of the stored activity. */
export function activityFilter(stage: LifecycleStage, now: Date): ActivityRange {
  const active = daysBefore(now, ACTIVE_DAYS);
  const atRisk = daysBefore(now, AT_RISK_DAYS);
  const dormant = daysBefore(now, DORMANT_DAYS);
  const newcomer = daysBefore(now, NEW_DAYS);
  const filters: Record<LifecycleStage, ActivityRange> = {
    ANONYMOUS: { engagedAt: null, leadAt: null },
    LEAD: { engagedAt: null, leadAt: { $ne: null } },
    NEW: { engagedAt: { $gte: newcomer }, lastActiveAt: { $gte: active } },
    ACTIVE: { engagedAt: { $lt: newcomer }, lastActiveAt: { $gte: active } },
    AT_RISK: { engagedAt: { $ne: null }, lastActiveAt: { $gte: atRisk, $lt: active } },
    DORMANT: { engagedAt: { $ne: null }, lastActiveAt: { $gte: dormant, $lt: atRisk } },
    CHURNED: { engagedAt: { $ne: null }, lastActiveAt: { $lt: dormant } },
  };
  return filters[stage];
}

function daysBefore(now: Date, days: number): Date {
  return new Date(now.getTime() - days * DAY_MS);
}
