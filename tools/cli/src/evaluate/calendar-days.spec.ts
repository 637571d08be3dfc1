import { describe, expect, it } from 'vitest';
import { calendarDays } from './calendar-days.js';

describe('calendarDays', () => {
  it.each([
    [
      ['2026-01-31', '20260131', '2026/1/31', '2026-01-31T23:59:59Z', '2026-01-31 08:00'],
      [20484, 20484, 20484, 20484, 20484],
    ],
    [
      ['31.01.2026', '1.2.2026 10:00'],
      [20484, 20485],
    ],
    [
      ['1/2/2026', '1/31/2026 8:26'],
      [20455, 20484],
    ],
    [
      ['1/2/2026', '31/1/2026'],
      [20485, 20484],
    ],
    [['1/2/2026'], [20455]],
    [['1.2.2026'], [20485]],
    [['12/1/10 8:26'], [14944]],
  ])('reads %j', (texts, days) => {
    expect([...calendarDays(texts, 'date')]).toEqual(days);
  });

  it.each(['', 'yesterday', '2026-02-30', '31/31/2026', '2026-1'])('refuses "%s" with its row', (text) => {
    expect(() => calendarDays(['2026-01-01', text], 'ordered')).toThrow(
      `row 2: "${text}" in column "ordered" is no date`,
    );
  });
});
