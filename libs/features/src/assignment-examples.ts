import { emptyState, type FeatureVector } from './customer-state.js';
import { DAY_MS } from './decayed-counter.js';
import { featureVector } from './feature-vector.js';
import { foldEvents } from './fold-events.js';
import { orderValueOf } from './purchase-days.js';
import { compareEvents, numberOf, type StoredEvent, textOf } from './stored-event.js';

/** The arm that gets nothing. */
export const CONTROL_ACTION = 'none';

/** One customer drawn into an arm of an experiment, as they were before it, and what they did after it. */
export interface AssignmentExample {
  customerId: string;
  at: Date;
  campaignId: string;
  /** what the campaign is for, e.g. `retain` */
  goal: string;
  /** the arm, {@link CONTROL_ACTION} for control */
  action: string;
  /** arms that were possible for this customer, each equally likely */
  choices: string[];
  channel: string | null;
  /** of the action, major units */
  cost: number;
  features: FeatureVector;
  /** 1 when there is an order within the horizon */
  label: 0 | 1;
  /** of the orders within the horizon, major units */
  orderValue: number;
  currency: string | null;
}

/**
 * One example for each `campaign_assigned` whose horizon is over. Features fold what was strictly before the assignment, so
 * neither it nor the message it brings is seen; the label looks at at ≤ order < at + horizon.
 *
 * @param events   of one customer, in any order
 * @param options.horizonDays  positive
 * @param options.until        events from here on are not known yet
 * @throws RangeError when the horizon is not positive
 */
export function assignmentExamples(
  events: readonly StoredEvent[],
  { horizonDays, until }: { horizonDays: number; until: Date },
): AssignmentExample[] {
  if (!(horizonDays > 0)) throw new RangeError(`horizonDays must be positive, got ${horizonDays}`);
  const known = events.filter((event) => event.at < until).toSorted(compareEvents);
  const orders = known.filter(({ type }) => type === 'order');
  let state = emptyState(known[0]?.customerId ?? '');
  let folded = 0;
  const examples: AssignmentExample[] = [];
  for (const event of known) {
    const end = event.at.getTime() + horizonDays * DAY_MS;
    if (event.type !== 'campaign_assigned' || end > until.getTime()) continue;
    const before = known.findIndex(({ at }) => at >= event.at);
    state = foldEvents(state, known.slice(folded, before));
    folded = before;
    const bought = orders.filter(({ at }) => at >= event.at && at.getTime() < end);
    examples.push({
      customerId: event.customerId ?? state.customerId,
      at: event.at,
      ...armOf(event),
      features: featureVector(state, event.at),
      label: bought.length > 0 ? 1 : 0,
      orderValue: bought.reduce((sum, order) => sum + orderValueOf(order), 0),
      currency: textOf(bought.at(-1)?.properties['currency']),
    });
  }
  return examples;
}

type Arm = Pick<AssignmentExample, 'campaignId' | 'goal' | 'action' | 'choices' | 'channel' | 'cost'>;

function armOf({ properties }: StoredEvent): Arm {
  const { campaignId, goal, action, control, choices, channel, cost } = properties;
  const arm = control === true ? CONTROL_ACTION : (textOf(action) ?? CONTROL_ACTION);
  const listed = (textOf(choices) ?? '').split(',').flatMap((each) => (each.trim() ? [each.trim()] : []));
  return {
    campaignId: textOf(campaignId) ?? '',
    goal: textOf(goal) ?? 'retain',
    action: arm,
    choices: listed.length > 0 ? listed : [...new Set([CONTROL_ACTION, arm])],
    channel: textOf(channel),
    cost: Math.max(0, numberOf(cost) ?? 0),
  };
}
