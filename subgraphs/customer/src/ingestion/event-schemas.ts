import { CONSENT_STATES, PURPOSES } from '@sextant/features';
import { parseDateTime } from '@sextant/platform';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';

const DECIMAL = { type: 'string', pattern: '^\\d{1,13}(\\.\\d{1,6})?$' };
const NUMBER_OR_DECIMAL = { anyOf: [{ type: 'number', minimum: 0 }, DECIMAL] };
const CURRENCY = { type: 'string', pattern: '^[A-Z]{3}$' };
const ID = { type: 'string', minLength: 1, maxLength: 256 };
const TEXT = { type: ['string', 'null'] };
const MESSAGE = { properties: { messageId: TEXT, campaignId: TEXT } };
const ORDER_LINE = {
  type: 'object',
  required: ['productId', 'quantity', 'unitPrice'],
  properties: {
    productId: ID,
    quantity: { type: 'number', exclusiveMinimum: 0, maximum: 1_000_000 },
    unitPrice: DECIMAL,
  },
};

/** JSON Schemas of the properties of the types that mean something; further properties may be any scalars. */
const SCHEMAS: Readonly<Record<string, object>> = {
  page_visit: {
    properties: { channel: TEXT, device: TEXT, durationSeconds: { type: ['number', 'null'], minimum: 0 } },
  },
  product_view: {
    required: ['productId'],
    properties: { productId: ID, price: DECIMAL, currency: CURRENCY },
  },
  order: {
    required: ['orderId', 'currency', 'lines'],
    properties: {
      orderId: ID,
      currency: CURRENCY,
      lines: { type: 'array', minItems: 1, maxItems: 1_000, items: ORDER_LINE },
    },
  },
  interaction: {
    required: ['productId'],
    properties: { productId: ID, value: { type: ['number', 'null'] }, relevant: { type: 'boolean' } },
  },
  email_sent: MESSAGE,
  email_open: MESSAGE,
  email_click: MESSAGE,
  profile_update: { properties: { accountRef: { anyOf: [ID, { type: 'null' }] } } },
  lead_submitted: {},
  sales_outcome: { required: ['won'], properties: { won: { type: 'boolean' }, value: DECIMAL } },
  campaign_assigned: {
    required: ['campaignId', 'action'],
    properties: {
      campaignId: ID,
      action: ID,
      goal: TEXT,
      control: { type: 'boolean' },
      choices: TEXT,
      channel: TEXT,
      cost: DECIMAL,
      currency: CURRENCY,
    },
  },
  consent_changed: {
    required: ['purpose', 'state'],
    properties: {
      purpose: { enum: PURPOSES },
      state: { enum: CONSENT_STATES },
      lawfulBasis: { ...TEXT, maxLength: 64 },
      proof: { ...TEXT, maxLength: 500 },
      expiresAt: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
    },
  },
  price_change: {
    required: ['productId', 'price'],
    properties: { productId: ID, price: NUMBER_OR_DECIMAL, currency: CURRENCY },
  },
  sale_observed: {
    required: ['productId', 'units', 'price'],
    properties: { productId: ID, units: { type: 'number', minimum: 0 }, price: NUMBER_OR_DECIMAL },
  },
  account_update: { required: ['accountRef'], properties: { accountRef: ID, name: TEXT } },
};

const ajv = new Ajv({ allowUnionTypes: true, strictTypes: false, strictRequired: false });
ajv.addFormat('date-time', isDateTime);
const COMPILED = new Map<string, ValidateFunction>(
  Object.entries(SCHEMAS).map(([type, schema]) => [type, ajv.compile(schema)]),
);

function isDateTime(text: string): boolean {
  try {
    return parseDateTime(text) instanceof Date;
  } catch {
    return false;
  }
}

/** What is wrong with the properties of an event, and where; null when nothing is, or the type is unknown. */
export function propertyFault(
  type: string,
  properties: Readonly<Record<string, unknown>>,
): { path: string; message: string } | null {
  const check = COMPILED.get(type);
  if (!check || check(properties)) return null;
  const error = check.errors?.[0];
  const missing: unknown = error?.keyword === 'required' ? error.params['missingProperty'] : undefined;
  const pointer = `${error?.instancePath ?? ''}${typeof missing === 'string' ? `/${missing}` : ''}`;
  return {
    path: `properties${jsonPath(pointer)}`,
    message: missing ? 'is needed' : messageOf(error),
  };
}

function messageOf(error: ErrorObject | undefined): string {
  const allowed: unknown = error?.keyword === 'enum' ? error.params['allowedValues'] : undefined;
  if (Array.isArray(allowed)) return `must be one of ${allowed.join(', ')}`;
  return error?.message ?? 'is not valid';
}

/** JSON pointer to the notation of the graph: `/lines/0/quantity` → `.lines[0].quantity`. */
function jsonPath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) =>
      /^\d+$/.test(part) ? `[${part}]` : `.${part.replaceAll('~1', '/').replaceAll('~0', '~')}`,
    )
    .join('');
}
