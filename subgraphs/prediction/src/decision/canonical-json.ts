import { hash } from 'node:crypto';

interface Key {
  name: string;
  /** as JSON, with the colon behind it */
  written: string;
}

/** Keys of the object that was written last, as it had them and in order: features of one customer are named like those of the next. */
let lastNames: readonly string[] = [];
let lastKeys: readonly Key[] = [];

/**
 * JSON with the keys of objects in order, so that equal values are equal texts. What is no JSON is written as `JSON.stringify` has it.
 *
 * @param value  no circle; `undefined` and functions are left out of objects
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (value === null) return 'null';
  if (typeof value !== 'object' || 'toJSON' in value) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return arrayJson(value);
  let text = '';
  const record = value as Readonly<Record<string, unknown>>;
  for (const { name, written } of keysOf(record)) {
    const part = record[name];
    if (part === undefined || typeof part === 'function') continue;
    if (text !== '') text += ',';
    text += written;
    text += canonicalJson(part);
  }
  return `{${text}}`;
}

/** SHA-256 in hex of a text. */
export function hashText(text: string): string {
  return hash('sha256', text, 'hex');
}

function arrayJson(values: readonly unknown[]): string {
  if (values.every((each) => typeof each === 'string')) return JSON.stringify(values);
  return `[${values.map(canonicalJson).join(',')}]`;
}

function keysOf(record: Readonly<Record<string, unknown>>): readonly Key[] {
  const names = Object.keys(record);
  if (names.length === lastNames.length && names.every((name, i) => name === lastNames[i])) return lastKeys;
  const keys = names.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  lastNames = names;
  lastKeys = keys.map((name) => ({ name, written: `${JSON.stringify(name)}:` }));
  return lastKeys;
}
