import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluateRecommendFile, recommendCommand } from './recommend.command.js';

const folder = mkdtempSync(join(tmpdir(), 'sextant-recommend-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** 40 customers of two tastes; each walks through seven of ten items, from a place of their own. */
const rows = Array.from({ length: 40 }, (_, c) =>
  Array.from(
    { length: 7 },
    (_, k) => `u${c},${(c % 2) * 10 + ((c + k) % 10)},${(k % 5) + 1},${1_700_000_000 + k}`,
  ),
).flat();
const csv = join(folder, 'ratings.csv');
writeFileSync(csv, `who,what,stars,at\n${rows.join('\n')}\n`);
const itemsCsv = join(folder, 'items.csv');
const items = Array.from({ length: 21 }, (_, i) => `${i},${i < 10 ? 'winter coat' : 'summer hat'}`);
writeFileSync(itemsCsv, `what,title\n${items.join('\n')}\n`);
const flags = { csv, user: 'who', item: 'what', time: 'at', seed: '1' };

describe('evaluate recommend', () => {
  it('reads a file, beats popularity where tastes differ, and prints one JSON object', async () => {
    const printed: string[] = [];
    const argv = ['--csv', csv, '--user', 'who', '--item', 'what', '--time', 'at', '--splits', '2'];
    await recommendCommand((text) => void printed.push(text)).parseAsync(
      [...argv, '--split', 'random:0.25', '--json'],
      { from: 'user' },
    );
    const report = JSON.parse(printed.join(''));
    expect(report).toMatchObject({ task: 'recommend', rows: 280, test: 40, leaks: [] });
    expect(report.metrics['ndcg@10'].value).toBeGreaterThan(report.baselines.popularity['ndcg@10'].value);
    expect(report.details.ndcgBySplit).toHaveLength(2);
  });

  it('leaves rows without a customer or an item out, and says how many', async () => {
    const holes = join(folder, 'holes.csv');
    writeFileSync(
      holes,
      `who,what,at\n,3,1700000000\nu1,NA,1700000000\n${rows.map((row) => row.replace(/,\d,/, ',')).join('\n')}\n`,
    );
    const report = await evaluateRecommendFile({ ...flags, csv: holes });
    expect(report.warnings[0]).toBe('2 of 282 rows have no "who" or no "what" and were left out');
    expect(report.test).toBe(40);
  });

  it('counts only ratings from --relevant up, and takes what is known of items into account', async () => {
    const options = { ...flags, rating: 'stars', relevant: '2' };
    const report = await evaluateRecommendFile({ ...options, itemsCsv, itemText: 'title' });
    expect(report.test).toBeLessThanOrEqual(40);
    expect(report.details).toMatchObject({ items: 21, content: { share: expect.any(Number) } });
  });

  it.each([
    ['--split', { split: 'last:2' }],
    ['--splits', { splits: '0', split: 'random:0.2' }],
    ['--splits', { splits: '3' }],
    ['--rating', { relevant: '4' }],
    ['--relevant', { rating: 'stars', relevant: 'good' }],
    ['--item-text', { itemsCsv }],
    ['nothing', { item: 'nothing' }],
  ])('names %s where it does not fit', async (path, changed) => {
    await expect(evaluateRecommendFile({ ...flags, ...changed })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path,
    });
  });
});
