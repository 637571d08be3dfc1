import { describe, expect, it } from 'vitest';
import { varint } from '../testing/hostile-files.fixture.js';
import { ProtoReader } from './proto-reader.js';

describe('ProtoReader.signed', () => {
  it.each([
    0,
    1,
    127,
    128,
    2 ** 31,
    2 ** 48,
    2 ** 49 - 1,
    2 ** 49,
    2 ** 53 - 1,
    -1,
    -2,
    -(2 ** 31),
    -(2 ** 53 - 1),
  ])('reads %d', (value) => {
    const reader = new ProtoReader(varint(value));
    expect(reader.signed()).toBe(value);
    expect(reader.at).toBe(reader.end);
  });

  it('reads the largest and the smallest as near as a double comes', () => {
    expect(new ProtoReader(varint(2n ** 63n - 1n)).signed()).toBe(2 ** 63);
    expect(new ProtoReader(varint(-(2n ** 63n))).signed()).toBe(-(2 ** 63));
  });
});
