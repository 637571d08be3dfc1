import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCalendarDay } from './clock.js';

describe('isCalendarDay', () => {
  it.each(['2024-02-29', '2026-02-28', '2026-04-30', '2000-02-29', '2026-12-31T23:59:59Z'])(
    'takes %s',
    (text) => {
      expect(isCalendarDay(text)).toBe(true);
    },
  );

  it.each(['2026-02-29', '2026-02-30', '2026-04-31', '1900-02-29', '2026-01-32', '2026-13-30'])(
    'refuses %s',
    (text) => {
      expect(isCalendarDay(text)).toBe(false);
    },
  );

  it('takes every day that a Date prints', () => {
    const dates = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(fc.property(dates, (date) => isCalendarDay(date.toISOString())));
  });
});
