import type { ErrorCode } from '@sextant/domain';
import { COMPANY_EVENT_TYPES, CUSTOMER_EVENT_TYPES, eventKey, type StoredEvent } from '@sextant/features';
import { parseDateTime } from '@sextant/platform';
import { propertyFault } from './event-schemas.js';

/** A row that will not be stored. */
export interface RejectedEvent {
  index: number;
  id: string;
  code: ErrorCode;
  message: string;
  path: string;
}

/** What is wrong with a row. */
export interface Fault {
  path: string;
  message: string;
}

const FIELDS: ReadonlySet<string> = new Set(['id', 'type', 'at', 'customerRef', 'properties', 'source']);
const MAX_ID = 256;
const MAX_TYPE = 64;
const MAX_SOURCE = 64;
const MAX_EVENT_BYTES = 16 * 1024;
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;
/** One UTF-16 unit takes at most six bytes in JSON (`\u0000`), so a shorter event needs no exact count. */
const SURELY_SMALL = Math.floor(MAX_EVENT_BYTES / 6);

const NEEDS_CUSTOMER: ReadonlySet<string> = new Set(CUSTOMER_EVENT_TYPES);
const NEEDS_NO_CUSTOMER: ReadonlySet<string> = new Set(COMPANY_EVENT_TYPES);

export function isKnownType(type: string): boolean {
  return NEEDS_CUSTOMER.has(type) || NEEDS_NO_CUSTOMER.has(type);
}

/**
 * Checks one row and makes the document to store, or says what is wrong with it.
 *
 * @param row                 any JSON value, as it comes from the graph
 * @param into.customerIdFor  id of a ref; asked once a row is otherwise good
 */
export function checkEvent(
  row: unknown,
  into: { tenantId: string; nowMs: number; customerIdFor: (ref: string) => string },
): StoredEvent | Fault {
  if (!isObject(row)) return fault('', 'an event must be an object');
  for (const name in row) if (!FIELDS.has(name)) return fault(name, 'is no field of an event');
  const envelope = checkEnvelope(row, into.nowMs);
  if (isFault(envelope)) return envelope;
  const { id, type, at, ref } = envelope;
  const source = row['source'] ?? null;
  if (source !== null && !isName(source, MAX_SOURCE)) return fault('source', textOfLength(MAX_SOURCE));
  const properties = row['properties'] ?? {};
  if (!isObject(properties)) return fault('properties', 'must be an object');
  const bad = shapeFault(type, properties, row) ?? propertyFault(type, properties);
  if (bad) return bad;
  const event: StoredEvent = {
    _id: eventKey(into.tenantId, id),
    tenantId: into.tenantId,
    type,
    at,
    properties,
  };
  if (ref !== null) event.customerId = into.customerIdFor(ref);
  if (source !== null) event.source = source;
  return event;
}

function checkEnvelope(
  row: Readonly<Record<string, unknown>>,
  nowMs: number,
): { id: string; type: string; at: Date; ref: string | null } | Fault {
  const [id, type, at] = [asId(row['id']), row['type'], dateOf(row['at'])];
  const ref = row['customerRef'] == null ? null : asId(row['customerRef']);
  if (!isName(id, MAX_ID)) return fault('id', textOfLength(MAX_ID));
  if (!isName(type, MAX_TYPE)) return fault('type', textOfLength(MAX_TYPE));
  if (!at) return fault('at', 'must be a date-time with an offset, like 2026-01-31T12:00:00Z');
  if (at.getTime() > nowMs + MAX_AHEAD_MS) return fault('at', 'lies more than 24 hours ahead');
  if (ref === null)
    return NEEDS_CUSTOMER.has(type) ? fault('customerRef', `is needed for ${type}`) : { id, type, at, ref };
  if (!isName(ref, MAX_ID)) return fault('customerRef', textOfLength(MAX_ID));
  if (!isRef(ref)) return fault('customerRef', 'must be source:externalId, like shop:4711');
  if (NEEDS_NO_CUSTOMER.has(type)) return fault('customerRef', `must be left out for ${type}`);
  return { id, type, at, ref };
}

/** `source:externalId`, so that two systems with the same numbers never mean one customer. */
function isRef(ref: string): boolean {
  const colon = ref.indexOf(':');
  return colon > 0 && colon < ref.length - 1;
}

/** Like GraphQL's ID, a whole number stands for its digits. */
function asId(value: unknown): unknown {
  return Number.isSafeInteger(value) ? String(value) : value;
}

/** The id of a row to report, as sent; empty when there is none. */
export function reportedId(row: unknown): string {
  const id = isObject(row) ? asId(row['id']) : null;
  return typeof id === 'string' ? id : '';
}

function textOfLength(max: number): string {
  return `must be a text of 1 to ${max} characters`;
}

export function isFault(checked: object): checked is Fault {
  return 'message' in checked;
}

function fault(path: string, message: string): Fault {
  return { path, message };
}

function isName(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= max && value.isWellFormed();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function dateOf(value: unknown): Date | null {
  try {
    return parseDateTime(value);
  } catch {
    return null;
  }
}

/** Scalars only, but for the lines of an order; no name that the store cannot hold; not too large. */
function shapeFault(type: string, properties: Readonly<Record<string, unknown>>, row: object): Fault | null {
  let size = 0;
  for (const name in properties) {
    const value = properties[name];
    if (name.includes('\0')) return fault('properties', 'has a name with a NUL character');
    size += name.length + 8;
    if (typeof value === 'string') size += value.length;
    else if (typeof value === 'object' && value !== null) {
      if (type !== 'order' || name !== 'lines') return fault(`properties.${name}`, 'must be a scalar');
      const lines = checkLines(value);
      if (typeof lines !== 'number') return lines;
      size += lines;
    }
  }
  if (size > SURELY_SMALL && Buffer.byteLength(JSON.stringify(row)) > MAX_EVENT_BYTES) {
    return fault('properties', `make the event larger than ${MAX_EVENT_BYTES} bytes`);
  }
  return null;
}

/** The lines' rough size in characters, or what is wrong with them. */
function checkLines(lines: object): Fault | number {
  if (!Array.isArray(lines)) return fault('properties.lines', 'must be a list');
  let size = 0;
  for (const [i, line] of lines.entries()) {
    if (!isObject(line)) return fault(`properties.lines[${i}]`, 'must be an object');
    for (const name in line) {
      const value = line[name];
      if (name.includes('\0')) return fault(`properties.lines[${i}]`, 'has a name with a NUL character');
      if (typeof value === 'object' && value !== null)
        return fault(`properties.lines[${i}].${name}`, 'must be a scalar');
      size += name.length + (typeof value === 'string' ? value.length : 8);
    }
  }
  return size;
}
