/** An object as JSON.parse makes it: what subgraphs answer and what is built from it. */
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Adds what `source` knows to `target`, which then owns it: nested objects are taken over and not copied. A null never hides
 * an object that another subgraph answered, and list items meet by their index. A field `__proto__`, which nobody can have asked for,
 * is no data: every object has it, and all share what it holds.
 */
export function mergeInto(target: JsonObject, source: JsonObject): void {
  for (const key in source) {
    const value = source[key];
    const known = target[key];
    if (typeof known !== 'object' || known === null) target[key] = value;
    else if (Array.isArray(known)) mergeLists(target, key, value);
    else if (isObject(value) && key !== '__proto__') mergeInto(known as JsonObject, value);
  }
}

function mergeLists(target: JsonObject, key: string, source: unknown): void {
  if (!Array.isArray(source)) return;
  const known = target[key] as unknown[];
  for (let index = 0; index < source.length; index += 1) {
    const item: unknown = known[index];
    const value: unknown = source[index];
    if (isObject(item) && isObject(value)) mergeInto(item, value);
    else if (Array.isArray(item)) mergeLists(known as unknown as JsonObject, String(index), value);
    else known[index] = value;
  }
}

/** A copy that shares no object or list with the original, for an answer that several places of the data receive. */
export function copyOf<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => copyOf(item)) as T;
  const copy: JsonObject = {};
  for (const key in value) if (key !== '__proto__') copy[key] = copyOf((value as JsonObject)[key]);
  return copy as T;
}
