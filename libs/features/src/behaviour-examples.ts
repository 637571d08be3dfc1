import { type CustomerState, emptyState, type FeatureVector } from './customer-state.js';
import { DAY_MS } from './decayed-counter.js';
import { featureVector } from './feature-vector.js';
import { foldEvents } from './fold-events.js';
import { compareEvents, type StoredEvent } from './stored-event.js';

/** What is foretold from behaviour alone. */
export type BehaviourTask = 'churn' | 'purchase';

/** One customer as they were at an instant, and what they did after it. */
export interface BehaviourExample {
  customerId: string;
  at: Date;
  features: FeatureVector;
  label: 0 | 1;
}

export interface SnapshotOptions {
  /** length of the period that decides a label; positive */
  horizonDays: number;
  /** events from here on are not known yet, so no label reaches beyond it */
  until: Date;
  /** most snapshots of a customer, one a horizon; a positive integer */
  snapshots: number;
  /** where in the horizon this customer's snapshots lie, in [0, 1); different customers have different ones, so that no weekday is preferred */
  phase: number;
}

/** Without a sign of life for this long a customer has left already, and is no example of one who may leave. */
export const ACTIVE_WITHIN_DAYS = 90;

/** What counts as being there. A mail that is opened or a profile that is edited does not. */
const PRESENCE_TYPES = ['page_visit', 'product_view', 'order', 'interaction'] as const;
const PRESENCE: ReadonlySet<string> = new Set(PRESENCE_TYPES);

/**
 * Examples of one customer at instants t = until − (k + phase) · horizon for k = 1, 2, …, `snapshots`. Features fold what was
 * strictly before t; the label looks at t ≤ event < t + horizon, which is over by `until`:
 * - `purchase`: 1 when there is an order. Everybody of whom anything was known at t is an example.
 * - `churn`: 1 when there is no visit, view, order or interaction. An example is who counted as {@link isActiveCustomer} at t.
 *
 * @param events  of one customer, in any order
 * @returns       oldest first; nothing for a customer without an event before the newest snapshot
 * @throws RangeError when an option is out of its range
 */
export function behaviourExamples(
  task: BehaviourTask,
  events: readonly StoredEvent[],
  options: SnapshotOptions,
): BehaviourExample[] {
  const ordered = events.toSorted(compareEvents);
  const examples: BehaviourExample[] = [];
  let state = emptyState(ordered[0]?.customerId ?? '');
  let folded = 0;
  for (const at of snapshotTimes(options)) {
    const end = firstFrom(ordered, at, folded);
    state = foldEvents(state, ordered.slice(folded, end));
    folded = end;
    if (!isExample(task, state, at)) continue;
    const following = ordered.slice(end, firstFrom(ordered, at + options.horizonDays * DAY_MS, end));
    examples.push({
      customerId: state.customerId,
      at: new Date(at),
      features: featureVector(state, new Date(at)),
      label: labelOf(task, following),
    });
  }
  return examples;
}

/** Someone who has ordered or interacted before, and was there within the last {@link ACTIVE_WITHIN_DAYS} days. */
export function isActiveCustomer(state: CustomerState, asOf: Date): boolean {
  if (state.engagedAt === null) return false;
  const lastSeen = Math.max(...PRESENCE_TYPES.map((type) => state.counters[type]?.at ?? -Infinity));
  return asOf.getTime() - lastSeen <= ACTIVE_WITHIN_DAYS * DAY_MS;
}

function isExample(task: BehaviourTask, state: CustomerState, at: number): boolean {
  return task === 'churn' ? isActiveCustomer(state, new Date(at)) : state.eventCount > 0;
}

function labelOf(task: BehaviourTask, following: readonly StoredEvent[]): 0 | 1 {
  if (task === 'purchase') return following.some(({ type }) => type === 'order') ? 1 : 0;
  return following.some(({ type }) => PRESENCE.has(type)) ? 0 : 1;
}

/** Milliseconds since 1970, ascending. */
function snapshotTimes({ horizonDays, until, snapshots, phase }: SnapshotOptions): number[] {
  if (!(horizonDays > 0)) throw new RangeError(`horizonDays must be positive, got ${horizonDays}`);
  if (!Number.isInteger(snapshots) || snapshots < 1)
    throw new RangeError(`snapshots must be a positive integer, got ${snapshots}`);
  if (!(phase >= 0 && phase < 1)) throw new RangeError(`phase must be in [0, 1), got ${phase}`);
  return Array.from({ length: snapshots }, (_, i) =>
    Math.floor(until.getTime() - (snapshots - i + phase) * horizonDays * DAY_MS),
  );
}

/** Index of the first event at or after an instant. */
function firstFrom(ordered: readonly StoredEvent[], at: number, from: number): number {
  let index = from;
  while (index < ordered.length && (ordered[index]?.at.getTime() ?? Infinity) < at) index++;
  return index;
}
