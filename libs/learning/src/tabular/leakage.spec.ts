import { describe, expect, it } from 'vitest';
import { type Random, randomNormal, seededRandom } from '../random/seeded-random.js';
import { tableOfRecords } from './column-table.js';
import { findLeaks, singleFeatureAuc } from './leakage.js';

const ROWS = 3000;
type Row = Record<string, string | number | null>;

/** Rows with an honest strong column, and whatever the test plants. */
function planted(plant: (label: number, random: Random, row: number) => Row): ReturnType<typeof findLeaks> {
  const random = seededRandom(21);
  const labels = Array.from({ length: ROWS }, () => (random() < 0.3 ? 1 : 0));
  const rows = labels.map((label, row) => ({
    contract: label === 1 && random() < 0.8 ? 'monthly' : random() < 0.4 ? 'monthly' : 'yearly',
    tenure: Math.round((label === 1 ? 10 : 30) * random() * 10) / 10,
    ...plant(label, random, row),
  }));
  return findLeaks(tableOfRecords(rows), labels);
}

const named = (found: ReturnType<typeof findLeaks>): string[] => [...found.leaks.keys()];

describe('findLeaks', () => {
  it('leaves honest strong columns alone, whatever they are called', () => {
    const found = planted((label, random) => ({
      'Last Purchase (days)': Math.round(60 + 20 * randomNormal(random) - 25 * label),
      credit_score: Math.round(600 + 80 * randomNormal(random) - 80 * label),
      status: random() < 0.5 + 0.2 * label ? 'active' : 'paused',
    }));

    expect(named(found)).toEqual([]);
    expect([...found.suspicious.keys()]).toEqual([]);
  });

  it('names a column that alone separates the labels', () => {
    expect(named(planted((label) => ({ refund: label === 1 ? 12 : null })))).toEqual(['refund']);
  });

  it('names a column some of whose values decide the label, and says which', () => {
    const found = planted((label, random) => ({
      tags: label === 1 && random() < 0.4 ? 'Closed' : random() < 0.5 ? 'Ringing' : null,
    }));

    expect(named(found)).toEqual(['tags']);
    expect(found.leaks.get('tags')).toMatch(/rows of "Closed" nearly all have one label, and hold 4\d %/);
  });

  it('names a field that is missing where the rarer outcome came', () => {
    const found = planted((label, random) => ({
      nextCall: label === 1 && random() < 0.6 ? null : Math.floor(random() * 30),
    }));

    expect(found.leaks.get('nextCall')).toContain('missing cells');
  });

  it('keeps values that decide few rows, or are few', () => {
    const found = planted((label, random) => ({
      gains: label === 1 && random() < 0.2 ? 9000 : 0,
      city: `city ${Math.floor(random() * 500)}`,
    }));

    expect(named(found)).toEqual([]);
  });

  it('names rewritten fields that one hand filled in with a proven leak, and no honest column beside it', () => {
    const found = planted((label, random) => {
      const isWorked = random() < (label === 1 ? 0.9 : 0.5);
      return {
        tags: isWorked ? (label === 1 ? 'Will pay' : random() < 0.5 ? 'Ringing' : 'Lost') : null,
        'Lead Quality': isWorked ? (random() < 0.3 + 0.4 * label ? 'high' : 'low') : 'not rated',
        lastActivity: random() < 0.3 + 0.3 * label ? 'call' : 'mail',
        source: isWorked && random() < 0.3 ? 'fair' : 'web',
      };
    });

    expect(named(found)).toEqual(['tags', 'Lead Quality']);
    expect(found.leaks.get('Lead Quality')).toContain('it goes with "tags"');
  });

  it('leaves a recency alone whose far end nearly always means that the customer is lost', () => {
    const random = seededRandom(6);
    const days = Array.from({ length: ROWS }, () => (random() < 0.3 ? 200 + 200 * random() : 120 * random()));
    const labels = days.map((day) => (random() < (day > 200 ? 0.97 : 0.2) ? 1 : 0));
    const table = tableOfRecords(days.map((day) => ({ daysSinceLastOrder: Math.round(day) })));

    expect(named(findLeaks(table, labels))).toEqual([]);
  });

  it('takes the rarer label where most rows are positive', () => {
    const random = seededRandom(4);
    const labels = Array.from({ length: 1000 }, () => (random() < 0.8 ? 1 : 0));
    const rows = labels.map((label) => ({ note: label === 0 && random() < 0.5 ? 'cancelled' : 'none' }));

    expect(named(findLeaks(tableOfRecords(rows), labels))).toEqual(['note']);
  });

  it('finds nothing where either label has fewer than 20 rows', () => {
    const labels = Array.from({ length: 200 }, (_, i) => (i < 19 ? 1 : 0));
    const table = tableOfRecords(labels.map((label) => ({ copy: label })));

    expect(named(findLeaks(table, labels))).toEqual([]);
    expect(
      singleFeatureAuc({ kind: 'numeric', name: 'copy', values: Float64Array.from(labels) }, labels),
    ).toBe(1);
    expect(named(findLeaks({ rows: 0, columns: [] }, []))).toEqual([]);
  });
});
