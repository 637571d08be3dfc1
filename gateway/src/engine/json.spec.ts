import { describe, expect, it } from 'vitest';
import { copyOf, mergeInto } from './json.js';

const merged = (target: Record<string, unknown>, source: Record<string, unknown>) => {
  mergeInto(target, source);
  return target;
};

describe('mergeInto', () => {
  it('adds what is new, in nested objects and list items by their index', () => {
    const target = { a: { b: 1 }, list: [{ x: 1 }, null, [{ y: 1 }]] };
    expect(merged(target, { a: { c: 2 }, list: [{ z: 2 }, null, [{ w: 2 }]], d: 3 })).toEqual({
      a: { b: 1, c: 2 },
      list: [{ x: 1, z: 2 }, null, [{ y: 1, w: 2 }]],
      d: 3,
    });
  });

  it('never hides an object behind a null, and fills a null', () => {
    expect(merged({ a: { b: 1 }, c: null }, { a: null, c: { d: 1 } })).toEqual({ a: { b: 1 }, c: { d: 1 } });
  });

  it('keeps an object where something else is answered', () => {
    expect(merged({ a: { b: 1 }, list: [1] }, { a: 'x', list: {} })).toEqual({ a: { b: 1 }, list: [1] });
  });

  it('changes no prototype, whatever a subgraph names its fields', () => {
    const hostile =
      '{ "__proto__": { "polluted": true, "list": [1] }, "a": { "__proto__": { "polluted": 1 } } }';
    const target = merged({ a: { b: 1 } }, JSON.parse(hostile) as Record<string, unknown>);
    merged(target, JSON.parse('{ "constructor": { "prototype": { "polluted": 1 } } }') as typeof target);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(target)).toBe(Object.prototype);
    expect(target['a']).toEqual({ b: 1 });
  });
});

describe('copyOf', () => {
  it('shares nothing that can change', () => {
    const original = { a: [{ b: 1 }], c: null };
    const copy = copyOf(original);
    expect(copy).toEqual(original);
    mergeInto(copy.a[0] ?? {}, { b: 2 });
    expect(original.a[0]?.b).toBe(1);
  });

  it('has the prototype of an object, whatever the original names its fields', () => {
    const copy = copyOf(JSON.parse('{ "__proto__": { "inherited": true }, "a": 1 }') as object);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect((copy as { inherited?: unknown }).inherited).toBeUndefined();
  });
});
