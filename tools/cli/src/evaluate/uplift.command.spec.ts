import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@sextant/learning';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluateUpliftFile } from './uplift.command.js';

const folder = mkdtempSync(join(tmpdir(), 'sextant-uplift-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Customers of three arms; the action helps those with a positive score. */
function customers(name: string, rows: number, arms: readonly string[] = ['none', 'mail', 'call']): string {
  const random = seededRandom(2);
  const lines = Array.from({ length: rows }, () => {
    const score = 2 * random() - 1;
    const arm = arms[Math.floor(arms.length * random())] ?? '';
    const rate = 0.3 + (arm === 'none' ? 0 : 0.25 * score);
    return `${score.toFixed(3)},${arm},${random() < rate ? 'yes' : 'no'}`;
  });
  const path = join(folder, name);
  writeFileSync(path, ['score,arm,visit', ...lines, '0.1,mail,', '0.2,none,NA'].join('\n'));
  return path;
}

const flags = { treatment: 'arm', outcome: 'visit', seed: '1' };

describe('evaluate uplift', () => {
  it('compares the two named arms, and leaves rows without an outcome out', async () => {
    const csv = customers('three.csv', 900);
    const report = await evaluateUpliftFile({ ...flags, csv, treated: 'mail', control: 'none' });
    expect(report.warnings[0]).toBe('2 rows left out: their "visit" is missing');
    expect(report).toMatchObject({ task: 'uplift', rows: 902 });
    expect(report.test).toBeLessThan(700);
  }, 60_000);

  it.each([
    [{}, /"call", "mail", "none": name the one that got the action with --treated/],
    [{ treated: 'mail' }, /name the one that did not get it with --control/],
    [{ treated: 'post' }, /no row has "post" in column "arm"/],
    [{ outcome: 'score' }, /an outcome has two; name the wanted one with --positive/],
  ])('refuses %j with the remedy', async (over, message) => {
    const csv = customers('wrong.csv', 60);
    const arms = 'outcome' in over ? { treated: 'mail', control: 'none' } : {};
    await expect(evaluateUpliftFile({ ...flags, ...arms, ...over, csv })).rejects.toThrow(message);
  });

  it('refuses a file of one arm', async () => {
    const path = join(folder, 'one.csv');
    writeFileSync(path, 'score,arm,visit\n1,mail,yes\n2,mail,no\n');
    await expect(evaluateUpliftFile({ ...flags, csv: path })).rejects.toThrow(
      'column "arm" has "mail" only: customers with and without the action are needed',
    );
  });
});
