import { describe, expect, it } from 'vitest';
import { queueRowsOf } from './decision-lanes.js';

describe('queueRowsOf', () => {
  const lane = { maxBatchRows: 256, maxPendingRows: 65_536 };

  it('counts a price search and reasons for more than a row', () => {
    const one = { rows: 1, reasons: 0 };
    expect(queueRowsOf('ScoreLeads', one, lane)).toBe(1);
    expect(queueRowsOf('Recommend', one, lane)).toBe(1);
    expect(queueRowsOf('Recommend', { rows: 1, reasons: 3 }, lane)).toBe(2);
    expect(queueRowsOf('Recommend', { rows: 1, reasons: 20 }, lane)).toBe(8);
    expect(queueRowsOf('QuotePrices', one, lane)).toBe(32);
  });

  it('never makes a request too long for the queue that its rows fit', () => {
    expect(queueRowsOf('QuotePrices', { rows: 2_048, reasons: 0 }, lane)).toBe(32);
    expect(queueRowsOf('QuotePrices', { rows: 2_049, reasons: 0 }, lane)).toBe(16);
    expect(queueRowsOf('QuotePrices', { rows: 8_192, reasons: 0 }, lane)).toBe(8);
    const short = { maxBatchRows: 256, maxPendingRows: 8_192 };
    expect(queueRowsOf('Recommend', { rows: 8_192, reasons: 20 }, short)).toBe(1);
  });

  it('divides every batch, whatever its length', () => {
    for (const maxBatchRows of [1, 2, 7, 12, 100, 256]) {
      const weight = queueRowsOf('Recommend', { rows: 1, reasons: 20 }, { ...lane, maxBatchRows });
      expect(maxBatchRows % weight).toBe(0);
    }
  });
});
