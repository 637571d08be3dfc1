/** JSON in parts: what is small as text, each large list in UTF-8. */
export type JsonParts = readonly (string | Buffer)[];

/** Lists of at least so many items are written once for all who need them. */
const LARGE = 100;
/** Items that are written at a time, so that no large text has to be made. */
const STEP = 50;
const WRITTEN = new WeakMap<readonly unknown[], Buffer>();

/**
 * The JSON of a record, as `JSON.stringify` writes it. Large lists in it are written once and kept as long as the lists are: a
 * batch of thousands of rows goes to a subgraph and into the digest of the audit log. They are written without a text of their
 * whole length, since fresh memory of that size costs more than the writing.
 */
export function jsonPartsOf(record: Readonly<Record<string, unknown>>): JsonParts {
  const names = Object.keys(record).filter((name) => record[name] !== undefined);
  if (!names.some((name) => isLarge(record[name]))) return [JSON.stringify(record)];
  const parts: (string | Buffer)[] = [];
  for (const name of names) {
    const value = record[name];
    parts.push(`${parts.length === 0 ? '{' : ','}${JSON.stringify(name)}:`);
    parts.push(isLarge(value) ? writtenOnce(value) : JSON.stringify(value));
  }
  parts.push('}');
  return parts;
}

function writtenOnce(list: readonly unknown[]): Buffer {
  const known = WRITTEN.get(list);
  if (known) return known;
  const bytes = written(list);
  WRITTEN.set(list, bytes);
  return bytes;
}

function written(list: readonly unknown[]): Buffer {
  let bytes = Buffer.alloc(0);
  let length = 0;
  for (let start = 0; start < list.length; start += STEP) {
    const text = JSON.stringify(list.slice(start, start + STEP));
    // A unit of UTF-16 takes at most three bytes; the rest of the list is taken to be like its start.
    const needed = length + 3 * text.length;
    if (bytes.length < needed) {
      const share = Math.min(1, (start + STEP) / list.length);
      const larger = Buffer.allocUnsafe(needed + Math.ceil((1.1 * (length + text.length)) / share));
      bytes.copy(larger, 0, 0, length);
      bytes = larger;
    }
    const isFirst = start === 0;
    if (!isFirst) bytes[length - 1] = COMMA; // in place of the bracket that closed the items before
    length += bytes.write(isFirst ? text : text.slice(1), length);
  }
  return bytes.subarray(0, length);
}

const COMMA = ','.charCodeAt(0);

function isLarge(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length >= LARGE;
}
