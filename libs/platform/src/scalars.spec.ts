import { Kind } from 'graphql';
import { describe, expect, it } from 'vitest';
import { dateTimeScalar, parseDateTime } from './scalars.js';

describe('parseDateTime', () => {
  it.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2026-03-01T00:30:00+02:00', '2026-02-28T22:30:00.000Z'],
    ['2026-02-28T23:30:00.5-01:00', '2026-03-01T00:30:00.500Z'],
    ['2025-12-31T23:59:59-12:00', '2026-01-01T11:59:59.000Z'],
  ])('reads %s', (text, instant) => {
    expect(parseDateTime(text).toISOString()).toBe(instant);
  });

  it.each(['2026-02-29', '2026-02-30', '2026-02-31', '2026-04-31', '2100-02-29', '2026-01-32', '2026-13-01'])(
    'refuses the day %s, which no calendar has, and names it',
    (day) => {
      expect(() => parseDateTime(`${day}T00:00:00Z`)).toThrow(
        expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(day) }),
      );
    },
  );

  it.each([
    ['2026-01-31'],
    ['2026-01-31T12:00:00'],
    ['2026-01-31T25:00:00Z'],
    ['now'],
    [1_770_000_000],
    [null],
  ])('refuses %j', (value) => {
    expect(() => parseDateTime(value)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});

describe('the DateTime scalar', () => {
  it('reads variables and literals by the same rule', () => {
    const literal = { kind: Kind.STRING, value: '2026-02-30T00:00:00Z' } as const;
    expect(() => dateTimeScalar.parseValue('2026-02-30T00:00:00Z')).toThrow(/2026-02-30/);
    expect(() => dateTimeScalar.parseLiteral(literal, {})).toThrow(/2026-02-30/);
    expect(dateTimeScalar.serialize(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
  });
});
