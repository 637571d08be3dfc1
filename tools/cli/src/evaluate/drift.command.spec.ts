import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftCommand, evaluateDriftFiles } from './drift.command.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drift-'));
  const csv = (rows: number, row: (i: number) => string): string =>
    `id,age,channel,old\n${Array.from({ length: rows }, (_, i) => row(i)).join('\n')}\n`;
  await writeFile(
    join(folder, 'before.csv'),
    csv(1000, (i) => `${i},${i % 60},${i % 3 ? 'web' : 'shop'},1`),
  );
  const now = csv(1000, (i) => `${1000 + i},${i % 4 ? i % 60 : ''},${i < 50 ? 'app' : 'web'},1`);
  await writeFile(join(folder, 'now.csv'), now.replace('old', 'new'));
});
afterAll(() => rm(folder, { recursive: true }));

const files = () => ({ reference: join(folder, 'before.csv'), current: join(folder, 'now.csv') });

describe('evaluate drift', () => {
  it('names what drifted and how, which columns went and came, and leaves out what it is told to', async () => {
    const report = await evaluateDriftFiles({ ...files(), drop: 'id' });
    expect(report).toMatchObject({ task: 'drift', rows: 2000, test: 1000, chosen: 'drifted: age, channel' });
    expect(report.metrics['driftedColumns']?.value).toBe(2);
    expect(report.warnings).toEqual([
      expect.stringMatching(/^"age": .*missing 0\.00 % before, 25\.0 % now/),
      expect.stringMatching(/^"channel": .*new: "app" in 50 rows/),
      'column "old" is gone',
      'column "new" is new and is compared with nothing',
    ]);
  });

  it('finds nothing between a table and itself', async () => {
    const report = await evaluateDriftFiles({ ...files(), current: files().reference });
    expect(report.chosen).toBe('no column drifted');
    expect(report.metrics['largestPsi']?.value).toBeCloseTo(0, 12);
  });

  it('prints the report as JSON without the plots', async () => {
    let text = '';
    await driftCommand((t) => (text += t)).parseAsync(
      ['--reference', files().reference, '--current', files().current, '--json'],
      { from: 'user' },
    );
    expect(JSON.parse(text)).toMatchObject({ task: 'drift', details: { gone: ['old'] } });
    expect(JSON.parse(text)).not.toHaveProperty('plots');
  });

  it('names a file that is not there', async () => {
    await expect(evaluateDriftFiles({ ...files(), current: join(folder, 'absent.csv') })).rejects.toThrow(
      'absent.csv',
    );
  });
});
