/** A property of an event, a trait, a form field, a feature: what JSON calls a scalar. */
export type Scalar = string | number | boolean | null;

/** One event as it lies in the store; written by the customer subgraph only. */
export interface StoredEvent {
  /** `tenantId:eventId`: the one unique index, so that an event is stored once per tenant */
  _id: string;
  tenantId: string;
  /** absent for events of the company, e.g. a price change */
  customerId?: string;
  type: string;
  at: Date;
  properties: Readonly<Record<string, unknown>>;
  source?: string;
}

export const EVENTS_COLLECTION = 'events';
export const FEATURES_COLLECTION = 'customer_features';

/** What a customer said about a purpose; decides who is learnt from and is itself never learnt from. */
export const CONSENT_EVENT_TYPE = 'consent_changed';

/** Types that belong to a customer and mean something to the product. */
export const CUSTOMER_EVENT_TYPES = [
  'page_visit',
  'product_view',
  'order',
  'interaction',
  'email_sent',
  'email_open',
  'email_click',
  'profile_update',
  'lead_submitted',
  'sales_outcome',
  'campaign_assigned',
  CONSENT_EVENT_TYPE,
] as const;
export type CustomerEventType = (typeof CUSTOMER_EVENT_TYPES)[number];

/** Types of the company itself, without a customer. */
export const COMPANY_EVENT_TYPES = ['price_change', 'sale_observed', 'account_update'] as const;
export type CompanyEventType = (typeof COMPANY_EVENT_TYPES)[number];

/** Key of an event in the store; a tenant id holds no colon. */
export function eventKey(tenantId: string, eventId: string): string {
  return `${tenantId}:${eventId}`;
}

/** The id that the client gave, from the key in the store. */
export function eventIdOf(event: { _id: string }): string {
  return event._id.slice(event._id.indexOf(':') + 1);
}

/**
 * The one order in which a customer's events are folded: by time; of the same instant a lead form first and a
 * sales outcome last, then by key. So a form sees what was strictly before it, and nothing sees an outcome of its instant.
 */
export function compareEvents(a: StoredEvent, b: StoredEvent): number {
  const byTime = a.at.getTime() - b.at.getTime();
  if (byTime !== 0) return byTime;
  const byRank = rankOf(a.type) - rankOf(b.type);
  if (byRank !== 0) return byRank;
  return a._id < b._id ? -1 : a._id > b._id ? 1 : 0;
}

function rankOf(type: string): number {
  if (type === 'lead_submitted') return 0;
  return type === 'sales_outcome' ? 2 : 1;
}

/** The value as a non-empty string, else null. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A finite number from a JSON number or a decimal string, else null. */
export function numberOf(value: unknown): number | null {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && value.trim() !== ''
        ? Number(value)
        : NaN;
  return Number.isFinite(number) ? number : null;
}

export function isScalar(value: unknown): value is Scalar {
  return (
    value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  );
}

/** Lines of an order; lines that name no product or no positive quantity are left out. */
export interface OrderLine {
  productId: string;
  quantity: number;
  /** major units of the order's currency; null when the line names none */
  unitPrice: number | null;
}

export function orderLinesOf(event: StoredEvent): OrderLine[] {
  const lines: unknown = event.properties['lines'];
  if (!Array.isArray(lines)) return [];
  return lines.flatMap((line: unknown) => {
    if (typeof line !== 'object' || line === null) return [];
    const { productId, quantity, unitPrice } = line as Record<string, unknown>;
    const product = textOf(productId);
    const units = numberOf(quantity);
    return product !== null && units !== null && units > 0
      ? [{ productId: product, quantity: units, unitPrice: numberOf(unitPrice) }]
      : [];
  });
}
