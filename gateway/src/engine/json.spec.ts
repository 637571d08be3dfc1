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
});

describe('copyOf', () => {
  it('shares nothing that can change', () => {
    const original = { a: [{ b: 1 }], c: null };
    const copy = copyOf(original);
    expect(copy).toEqual(original);
    mergeInto(copy.a[0] ?? {}, { b: 2 });
    expect(original.a[0]?.b).toBe(1);
  });
});
