import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '@sextant/learning';
import { evaluateSegmentsFile, segmentsCommand } from './segments.command.js';

const folder = mkdtempSync(join(tmpdir(), 'segments-'));
afterAll(() => rmSync(folder, { recursive: true }));

const random = seededRandom(3);
const around = (middle: number) => (middle + random()).toFixed(3);
/** Three kinds of customers, 60 rows, one cell missing. */
const TABLE = [
  'id,name,visits,spend',
  ...Array.from({ length: 60 }, (_, i) => {
    const kind = i % 3;
    return `${i},n${i},${i === 7 ? '' : around(kind === 1 ? 20 : 4)},${around(kind === 2 ? 90 : 10)}`;
  }),
].join('\n');
const PURCHASES = [
  'who,when,paid',
  ...Array.from({ length: 40 }, (_, i) =>
    i % 2 === 0
      ? [`c${i},2026-01-0${1 + (i % 5)},${around(5)}`]
      : Array.from({ length: 6 }, (_value, day) => `c${i},2026-03-1${day},${around(80)}`),
  ).flat(),
].join('\n');

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const FLAGS = { maxSegments: '6', seed: '1' };

describe('evaluate segments', () => {
  it('finds three kinds in the numeric columns, names them, and says that a cell is missing', async () => {
    const report = await evaluateSegmentsFile({ ...FLAGS, csv: file('table.csv', TABLE), drop: 'id' });
    expect(report.metrics['segments']?.value).toBe(3);
    expect(report.metrics['stability']?.value).toBeGreaterThan(0.95);
    expect(report.details['sizes']).toEqual(expect.arrayContaining([20, 20, 20]));
    expect(report.warnings).toContain(
      '1 of 60 rows have missing cells: they count by the cells that they have',
    );
    const profiles = report.details['profiles'] as { name: string }[];
    expect(profiles.map(({ name }) => name)).toContainEqual(expect.stringMatching(/^High (visits|spend)/));
    expect(report.baselines['random labels']?.['silhouette']?.value).toBeLessThan(0.1);
  });

  it('leaves out a column that only numbers the rows, and says so', async () => {
    const csv = file('numbered.csv', TABLE);
    const report = await evaluateSegmentsFile({ ...FLAGS, csv });
    expect(report.warnings[0]).toBe(
      'column "id" left out: it numbers the rows; name it with --columns to keep it',
    );
    expect(report.metrics).toEqual((await evaluateSegmentsFile({ ...FLAGS, csv, drop: 'id' })).metrics);
  });

  it('segments a purchase log by recency, frequency and money, with the usual names beside', async () => {
    const csv = file('log.csv', PURCHASES);
    const report = await evaluateSegmentsFile({
      ...FLAGS,
      ...{ csv, rfm: true, customer: 'who', date: 'when', amount: 'paid' },
    });
    expect(report).toMatchObject({ rows: 140, test: 40, details: { k: 2, sizes: [20, 20] } });
    const counts = Object.values(report.details['rfm'] as Record<string, number>);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(40);
  });

  it('prints one JSON object without the plots', async () => {
    let printed = '';
    const command = segmentsCommand((text) => (printed += text)).exitOverride();
    const csv = file('json.csv', TABLE);
    await command.parseAsync(['--csv', csv, '--columns', 'visits,spend', '--json'], { from: 'user' });
    const parsed = JSON.parse(printed) as Record<string, unknown>;
    expect(parsed).toMatchObject({ task: 'segments', rows: 60, metrics: { segments: { value: 3 } } });
    expect(parsed).not.toHaveProperty('plots');
  });

  it('names what does not fit and what to do', async () => {
    const csv = file('wrong.csv', TABLE);
    await expect(evaluateSegmentsFile({ ...FLAGS, csv, columns: 'spent' })).rejects.toThrow(
      /"spent" is no column.*visits/,
    );
    await expect(evaluateSegmentsFile({ ...FLAGS, csv, columns: 'name' })).rejects.toThrow(/name/);
    await expect(evaluateSegmentsFile({ ...FLAGS, csv, rfm: true })).rejects.toThrow(/--customer/);
    await expect(evaluateSegmentsFile({ ...FLAGS, csv, maxSegments: '1' })).rejects.toThrow(/--max-segments/);
  });
});
