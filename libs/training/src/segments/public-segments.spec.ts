import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluateSegments } from './evaluate-segments.js';
import { rfmRows } from './rfm-rows.js';

const dataFolder = process.env['SEXTANT_DATA'];
if (!dataFolder) process.stdout.write('mall customers check skipped: SEXTANT_DATA is not set\n');

describe('evaluateSegments', () => {
  it.runIf(dataFolder)('finds the five groups of the mall customers, whatever the seed', () => {
    const rows = readFileSync(join(dataFolder ?? '', 'mall_customers/mall.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) =>
        line
          .split(',')
          .slice(3)
          .map((cell) => (cell.trim() === '' ? NaN : Number(cell))),
      );
    for (const seed of [1, 2, 3, 4, 5]) {
      const report = evaluateSegments({ columns: ['income', 'score'], rows, read: rows.length, seed });
      expect(report.metrics['segments']?.value).toBe(5);
      expect(report.metrics['silhouette']?.value).toBeGreaterThan(0.55);
    }
  });

  it('warns where segments would not be found again: one cloud in six columns', () => {
    const rows = Array.from({ length: 200 }, (_, i) =>
      Array.from({ length: 6 }, (_value, j) => (Math.sin(12.9898 * (i + 1) * (j + 1.37)) * 43_758.5453) % 1),
    );
    const columns = ['a', 'b', 'c', 'd', 'e', 'f'];
    const report = evaluateSegments({ columns, rows, read: 200, seed: 1, method: 'k-means', maxSegments: 6 });
    expect(report.warnings.join()).toMatch(/would give other segments/);
    expect(report.metrics['silhouette']?.value).toBeLessThan(0.3);
  });
});

describe('rfmRows', () => {
  it('counts days, sums money and takes the last day of the log as today', () => {
    const purchases = [
      { customer: 'a', day: 10, amount: 5 },
      { customer: 'a', day: 10, amount: 7 },
      { customer: 'a', day: 14, amount: 1 },
      { customer: 'b', day: 20, amount: -3 },
    ];
    expect(rfmRows(purchases)).toEqual([
      { recencyDays: 6, frequency: 2, monetary: 13 },
      { recencyDays: 0, frequency: 1, monetary: 0 },
    ]);
    expect(rfmRows([])).toEqual([]);
  });
});
