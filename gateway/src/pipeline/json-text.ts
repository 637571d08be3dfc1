/** Lists of at least so many items are written once for all who need their text. */
const LARGE = 100;
const TEXTS = new WeakMap<readonly unknown[], string>();

/**
 * The JSON of a record, as `JSON.stringify` writes it. The texts of large lists in it are kept as long as the lists are: a batch of
 * thousands of rows goes to a subgraph and into the digest of the audit log.
 */
export function jsonOf(record: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(record);
  if (!names.some((name) => isLarge(record[name]))) return JSON.stringify(record);
  const members = names
    .filter((name) => record[name] !== undefined)
    .map((name) => `${JSON.stringify(name)}:${textOf(record[name])}`);
  return `{${members.join(',')}}`;
}

function textOf(value: unknown): string {
  if (!isLarge(value)) return JSON.stringify(value);
  const known = TEXTS.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  TEXTS.set(value, text);
  return text;
}

function isLarge(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length >= LARGE;
}
