import { isScalar, type Scalar, type StoredEvent, textOf } from '@sextant/features';

/** A company that customers belong to: the latest value of each field that an `account_update` told. */
export interface Account {
  /** the company's own number of it */
  id: string;
  fields: Readonly<Record<string, TimedValue>>;
}

/** A value and the time of the event that told it, in milliseconds since 1970. */
export interface TimedValue {
  value: Scalar;
  at: number;
}

/** Most fields kept of one account; further names are ignored. */
const MAX_FIELDS = 200;

export function accountRefOf(event: StoredEvent): string | null {
  return textOf(event.properties['accountRef']);
}

/** The account after an event: each field keeps the value of the latest event, so that order and repetition do not matter. */
export function mergeAccount(account: Account, event: StoredEvent): Account {
  const fields = { ...account.fields };
  const at = event.at.getTime();
  let room = MAX_FIELDS - Object.keys(fields).length;
  for (const [name, value] of Object.entries(event.properties)) {
    if (name === 'accountRef' || name === '__proto__' || !isScalar(value)) continue;
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (known && known.at > at) continue;
    if (!known && room-- <= 0) continue;
    fields[name] = { value, at };
  }
  return { ...account, fields };
}

export function accountName(account: Account): string | null {
  return textOf(account.fields['name']?.value);
}

/** Everything but the name; null before the first update. */
export function firmographicsOf(account: Account): Record<string, Scalar> | null {
  const entries = Object.entries(account.fields);
  if (entries.length === 0) return null;
  return Object.fromEntries(
    entries.filter(([name]) => name !== 'name').map(([name, { value }]) => [name, value]),
  );
}
