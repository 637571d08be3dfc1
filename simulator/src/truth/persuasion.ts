/** What a retention campaign can do; the order is that of the draws. */
export const RETENTION_ACTIONS = [
  { id: 'discount-mail', channel: 'email', cost: '0.90' },
  { id: 'call', channel: 'phone', cost: '6.00' },
] as const;
export type RetentionAction = (typeof RETENTION_ACTIONS)[number]['id'];

/** What is known of a customer before the campaign; the company can see all of it in its own events. */
export interface PersuasionContext {
  /** Decayed share of the mails that were opened, in [0, 1]; 0.3 for who got none. */
  openShare: number;
  /** Decayed number of mails of the last days. */
  fatigue: number;
  /** Since the last order; 90 for who never ordered. */
  daysSinceOrder: number;
  orders: number;
  /** Decayed number of product views. */
  recentViews: number;
}

/** Chance that the action makes somebody order who would not have, and that it keeps somebody from ordering who would have. */
export interface Persuasion {
  gain: number;
  loss: number;
}

/**
 * A mail moves those who read mails and have not bought for a while, and puts off those who get many and open few. A call moves
 * those who hardly bought yet, and puts off those who buy anyway.
 */
export function persuasionOf(action: RetentionAction, context: PersuasionContext): Persuasion {
  const lapse = Math.min(1, context.daysSinceOrder / 60);
  const habit = Math.log1p(context.orders);
  const looking = Math.log1p(context.recentViews);
  if (action === 'discount-mail') {
    return {
      gain: 0.8 * chance(-2 + 10 * (context.openShare - 0.35) + 1.6 * lapse),
      loss: 0.7 * chance(-2.4 + 1.3 * (context.fatigue - 2) - 6 * (context.openShare - 0.35)),
    };
  }
  return {
    gain: 0.6 * chance(0.2 - 2.2 * habit + 1.5 * lapse),
    loss: 0.3 * chance(-3 + 0.6 * looking + 1.2 * habit),
  };
}

/** Difference that the action makes to the probability of an order, where `anyway` is the probability without it. */
export function upliftOf({ gain, loss }: Persuasion, anyway: number): number {
  return gain * (1 - anyway) - loss * anyway;
}

function chance(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
