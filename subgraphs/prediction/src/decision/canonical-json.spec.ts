import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, hashText } from './canonical-json.js';

describe('canonicalJson', () => {
  it('has the keys in order, at every depth', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x"', 10: true })).toBe(
      '{"10":true,"a":"x\\"","b":[{"c":null,"d":1}]}',
    );
  });

  it('writes what is no JSON as JSON.stringify does', () => {
    const odd = {
      at: new Date(0),
      nothing: undefined,
      call: () => 1,
      not: Number.NaN,
      minus: -0,
      list: [undefined, () => 1],
    };
    expect(JSON.parse(canonicalJson(odd))).toEqual(JSON.parse(JSON.stringify(odd)));
    expect([canonicalJson(null), canonicalJson('a'), canonicalJson({}), canonicalJson([])]).toEqual([
      'null',
      '"a"',
      '{}',
      '[]',
    ]);
  });

  it('says the same as JSON.stringify, and the same of objects that differ in the order of their keys only', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(text);
      }),
    );
  });

  it('tells objects with equal keys apart, one after the other', () => {
    const texts = [
      { a: 1, b: 2 },
      { a: 2, b: 1 },
      { b: 2, a: 1 },
    ].map(canonicalJson);
    expect(texts).toEqual(['{"a":1,"b":2}', '{"a":2,"b":1}', '{"a":1,"b":2}']);
  });

  it('is hashed as any tool would', () => {
    expect(hashText('{}')).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  });
});
