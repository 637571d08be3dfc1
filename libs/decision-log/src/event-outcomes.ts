import type { Clock } from '@sextant/domain';
import { DAY_MS, type EventHistory, orderLinesOf, type StoredEvent } from '@sextant/features';
import type { LoggedDecision } from './logged-decision.js';
import type { OutcomeSummary } from './outcome.js';

/** Days after a decision in which events are its outcome, as the trainer labels its examples. */
export const EVENT_OUTCOME_DAYS = { lead: 30, churn: 30, purchase: 7, recommend: 7 } as const;

const ACTIVITY = ['page_visit', 'product_view', 'order', 'interaction'];
/** Customers whose events are in memory at a time. */
const CUSTOMERS_AT_ONCE = 200;
/** Up to when events are there is counted over the whole history, so not for each batch. */
const END_FRESH_MS = 60_000;

/**
 * What events show of a decision about a customer.
 *
 * | kind | reward 1 | reward 0 |
 * |---|---|---|
 * | lead, of a form | the first `sales_outcome` within 30 days says `won` | it does not, or there is none in that time |
 * | churn, of a familiar customer | no visit, view, order or interaction within 30 days | the first of them |
 * | purchase | an `order` within 7 days | none in that time |
 * | recommend | an `order` of a product of the slate within 7 days | none in that time |
 *
 * @param events  of the customer, by time; those up to the decision are passed over
 * @param end     up to when events are known; what has not happened by then may still come
 * @returns       null while nothing can be told, and for other decisions
 */
export function outcomeInEvents(
  decision: LoggedDecision,
  events: readonly StoredEvent[],
  end: Date,
): OutcomeSummary | null {
  const rule = ruleOf(decision);
  if (rule === null) return null;
  const horizonEnd = new Date(decision.at.getTime() + rule.days * DAY_MS);
  const first = events.find(
    (event) => event.at > decision.at && event.at <= horizonEnd && rule.isMeant(event),
  );
  if (first) return { reward: rule.rewardOf(first), at: first.at, count: 1, source: 'EVENTS' };
  return end >= horizonEnd ? { reward: rule.otherwise, at: horizonEnd, count: 1, source: 'EVENTS' } : null;
}

interface Rule {
  days: number;
  isMeant(event: StoredEvent): boolean;
  rewardOf(event: StoredEvent): number;
  /** where the time has passed without */
  otherwise: number;
}

function ruleOf({ kind, output }: LoggedDecision): Rule | null {
  const basis = output['basis'];
  const isOf = (type: string) => (event: StoredEvent) => event.type === type;
  const { lead, churn, purchase, recommend } = EVENT_OUTCOME_DAYS;
  if (kind === 'lead' && basis === 'FORM') {
    const rewardOf = ({ properties }: StoredEvent): number => (properties['won'] === true ? 1 : 0);
    return { days: lead, isMeant: isOf('sales_outcome'), rewardOf, otherwise: 0 };
  }
  if (kind === 'churn' && basis !== 'UNFAMILIAR') {
    return { days: churn, isMeant: ({ type }) => ACTIVITY.includes(type), rewardOf: () => 0, otherwise: 1 };
  }
  if (kind === 'purchase') {
    return { days: purchase, isMeant: isOf('order'), rewardOf: () => 1, otherwise: 0 };
  }
  if (kind !== 'recommend') return null;
  const shown = new Set(productsOf(output));
  const isMeant = (event: StoredEvent): boolean =>
    event.type === 'order' && orderLinesOf(event).some(({ productId }) => shown.has(productId));
  return { days: recommend, isMeant, rewardOf: () => 1, otherwise: 0 };
}

function productsOf(output: Readonly<Record<string, unknown>>): string[] {
  const items: unknown = output['items'];
  if (!Array.isArray(items)) return [];
  return items.flatMap((item: unknown) => {
    const id = typeof item === 'object' && item !== null && 'productId' in item ? item.productId : null;
    return typeof id === 'string' ? [id] : [];
  });
}

/** Outcomes that the events of customers show, for decisions that nobody recorded one of. */
export class EventOutcomes {
  private readonly ends = new Map<string, { end: Promise<Date | null>; readAt: number }>();

  constructor(
    private readonly history: Pick<EventHistory, 'ofCustomers' | 'endOfCustomers'>,
    private readonly clock: Clock,
  ) {}

  /** By decision; those of which nothing can be told yet are absent. */
  async of(
    tenantId: string,
    decisions: readonly LoggedDecision[],
  ): Promise<ReadonlyMap<string, OutcomeSummary>> {
    const found = new Map<string, OutcomeSummary>();
    const byCustomer = Map.groupBy(
      decisions.filter((decision) => decision.customerId !== null && ruleOf(decision) !== null),
      ({ customerId }) => customerId ?? '',
    );
    const end = byCustomer.size === 0 ? null : await this.endOf(tenantId);
    if (end === null) return found;
    const customers = [...byCustomer].map(([customerId, own]) => ({
      customerId,
      after: Math.min(...own.map(({ at }) => at.getTime())),
    }));
    for (let from = 0; from < customers.length; from += CUSTOMERS_AT_ONCE) {
      const some = customers.slice(from, from + CUSTOMERS_AT_ONCE);
      const events = await this.history.ofCustomers(tenantId, some);
      for (const decision of some.flatMap(({ customerId }) => byCustomer.get(customerId) ?? [])) {
        const outcome = outcomeInEvents(decision, events.get(decision.customerId ?? '') ?? [], end);
        if (outcome) found.set(decision.id, outcome);
      }
    }
    return found;
  }

  private endOf(tenantId: string): Promise<Date | null> {
    const now = this.clock.now();
    const known = this.ends.get(tenantId);
    if (known && now.getTime() - known.readAt < END_FRESH_MS) return known.end;
    const end = this.history.endOfCustomers(tenantId, { until: now });
    end.catch(() => this.ends.delete(tenantId));
    this.ends.set(tenantId, { end, readAt: now.getTime() });
    return end;
  }
}
