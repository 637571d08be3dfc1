import { type Persuadability, quadrantOf } from '@sextant/learning/uplift';

/** What one action would change for the customer. */
export interface OfferedAction {
  id: string;
  channel: string | null;
  /** of doing it once, major units */
  cost: number;
  /** difference that it makes to the probability of the outcome */
  uplift: Interval;
}

export interface Interval {
  value: number;
  low: number;
  high: number;
  level: number;
}

/** All that a model says of one customer. */
export interface ActionEffects {
  goal: string;
  /** probability of the outcome without any action */
  without: number;
  /** from this probability on somebody counts as one who acts anyway */
  sureFrom: number;
  /** mean value of one outcome, major units */
  outcomeValue: number;
  /** ISO 4217; '' where outcomes have none */
  currency: string;
  actions: readonly OfferedAction[];
  /** actions that no model ranks better than chance */
  refused: readonly { id: string; because: string }[];
}

/** What the customer allows, and when somebody last turned to them. */
export interface ContactState {
  /** null: never said */
  takesMails: boolean | null;
  daysSinceContact: number | null;
}

export interface ChosenAction {
  action: string;
  channel: string | null;
  uplift: Interval;
  /** uplift × value of an outcome − cost, major units */
  expectedNet: number;
  /** null where no model answers */
  segment: Persuadability | null;
  /** the other admissible actions, best first; never taken while the policy draws no lots */
  alternatives: { action: string; uplift: Interval; propensity: number }[];
  suppressed: { action: string; because: string }[];
  /** probability with which the policy takes what it took */
  propensity: number;
}

export const NO_ACTION = 'none';
/** Between two contacts of campaigns. */
const MIN_DAYS_BETWEEN_CONTACTS = 7;

/**
 * The admissible action of the highest expected net value, or none. An action is admissible where the customer allows its channel,
 * the last contact is long enough ago, the interval of its effect lies above 0, and the effect is worth more than the action costs.
 * The policy draws no lots: exploring is what randomised campaigns are for, and they are where the model learns from. So its
 * propensity is 1, and equal effects give equal actions.
 */
export function chooseNextAction(effects: ActionEffects, contact: ContactState): ChosenAction {
  const suppressed = effects.refused.map(({ id, because }) => ({
    action: id,
    because: `not proven: ${because}`,
  }));
  const admissible: OfferedAction[] = [];
  for (const offer of effects.actions) {
    const because = objection(offer, effects, contact);
    if (because === null) admissible.push(offer);
    else suppressed.push({ action: offer.id, because });
  }
  admissible.sort((a, b) => netOf(b, effects) - netOf(a, effects) || (a.id < b.id ? -1 : 1));
  const [best, ...others] = admissible;
  return {
    action: best?.id ?? NO_ACTION,
    channel: best?.channel ?? null,
    uplift: best?.uplift ?? nothing(effects.actions[0]?.uplift.level),
    expectedNet: best === undefined ? 0 : netOf(best, effects),
    segment: segmentOf(effects, best),
    alternatives: others.map(({ id, uplift }) => ({ action: id, uplift, propensity: 0 })),
    suppressed,
    propensity: 1,
  };
}

/** Where no model answers, nothing is done: no effect is known, and an action may do harm. */
export function noAction(): ChosenAction {
  return {
    action: NO_ACTION,
    channel: null,
    uplift: nothing(),
    expectedNet: 0,
    segment: null,
    alternatives: [],
    suppressed: [],
    propensity: 1,
  };
}

function objection(offer: OfferedAction, effects: ActionEffects, contact: ContactState): string | null {
  const { uplift, channel } = offer;
  if (channel === 'email' && contact.takesMails !== true)
    return contact.takesMails === false
      ? 'no consent: unsubscribed from mails'
      : 'no consent: never subscribed to mails';
  const { daysSinceContact: days } = contact;
  if (days !== null && days < MIN_DAYS_BETWEEN_CONTACTS)
    return `contacted too recently: ${days.toFixed(1)} days ago, ${MIN_DAYS_BETWEEN_CONTACTS} are wanted`;
  if (uplift.value < 0) return 'negative effect: the outcome is likelier without it';
  if (uplift.low <= 0) return 'not proven: the interval of the effect holds 0';
  return netOf(offer, effects) > 0 ? null : 'not worth it: the effect brings less than the action costs';
}

function netOf({ uplift, cost }: OfferedAction, { outcomeValue }: ActionEffects): number {
  return uplift.value * outcomeValue - cost;
}

/** By the action taken, else by the one of the greatest effect; without any the probability alone decides. */
function segmentOf(effects: ActionEffects, taken: OfferedAction | undefined): Persuadability {
  const strongest = effects.actions.toSorted((a, b) => b.uplift.value - a.uplift.value)[0];
  const uplift = (taken ?? strongest)?.uplift ?? { low: 0, high: 0 };
  return quadrantOf(effects.without, uplift, effects.sureFrom).segment;
}

const nothing = (level = 0.9): Interval => ({ value: 0, low: 0, high: 0, level });
