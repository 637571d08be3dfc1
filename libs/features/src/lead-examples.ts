import { emptyState, type FeatureVector } from './customer-state.js';
import { DAY_MS } from './decayed-counter.js';
import { foldEvents } from './fold-events.js';
import { compareEvents, type StoredEvent } from './stored-event.js';

/** One row of lead training. */
export interface LeadExample {
  customerId: string;
  /** when the form was submitted */
  at: Date;
  features: FeatureVector;
  /** 1 won, 0 lost or nothing came of it */
  label: 0 | 1;
}

/**
 * One example for each `lead_submitted` whose outcome is known. Features hold what happened strictly before the form,
 * and the form itself; a late arrival counts by its `at`. The first `sales_outcome` not before the form and at most
 * `horizonDays` after it decides; with none, the label is 0 once the horizon has passed, and the form is left out until then.
 *
 * @param events   of one customer, in any order
 * @param options.horizonDays  positive
 * @param options.now          events after it are not known yet
 * @throws RangeError when the horizon is not positive
 */
export function leadExamples(
  events: readonly StoredEvent[],
  options: { horizonDays: number; now: Date },
): LeadExample[] {
  const { horizonDays, now } = options;
  if (!(horizonDays > 0)) throw new RangeError(`horizonDays must be positive, got ${horizonDays}`);
  const known = events.filter((event) => event.at <= now).toSorted(compareEvents);
  const outcomes = known.filter(({ type }) => type === 'sales_outcome');
  const examples: LeadExample[] = [];
  let state = emptyState(known[0]?.customerId ?? '');
  let folded = 0;
  known.forEach((event, i) => {
    if (event.type !== 'lead_submitted') return;
    state = foldEvents(state, known.slice(folded, i + 1));
    folded = i + 1;
    const label = labelOf(event.at.getTime(), outcomes, {
      horizonMs: horizonDays * DAY_MS,
      now: now.getTime(),
    });
    if (label !== null && state.lead)
      examples.push({ customerId: state.customerId, at: event.at, features: state.lead.features, label });
  });
  return examples;
}

function labelOf(
  formAt: number,
  outcomes: readonly StoredEvent[],
  { horizonMs, now }: { horizonMs: number; now: number },
): 0 | 1 | null {
  const until = formAt + horizonMs;
  const outcome = outcomes.find(({ at }) => at.getTime() >= formAt && at.getTime() <= until);
  if (outcome) return outcome.properties['won'] === true ? 1 : 0;
  return now > until ? 0 : null;
}
