import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluateSessionsFile, sessionsCommand } from './sessions.command.js';

const folder = mkdtempSync(join(tmpdir(), 'sextant-sessions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DAY = 86_400;
/** 120 sessions, one an hour, that walk through nine items in a circle; `at` writes the time of a view. */
function views(name: string, at: (second: number) => string, extra: readonly string[] = []): string {
  const rows = Array.from({ length: 120 }, (_, session) =>
    Array.from(
      { length: 4 },
      (_view, k) => `s${session},p${(session + k) % 9},${at(1_700_000_000 + 3600 * session + k)}`,
    ),
  ).flat();
  const path = join(folder, name);
  writeFileSync(path, ['session,item,at', ...rows, ...extra].join('\n'));
  return path;
}

const flags = { session: 'session', item: 'item', time: 'at', seed: '1' };

describe('evaluate sessions', () => {
  it('takes Unix seconds and ISO date-times for the same instants', async () => {
    const seconds = views('seconds.csv', String);
    const iso = views('iso.csv', (second) => new Date(1000 * second).toISOString());
    const report = await evaluateSessionsFile({ ...flags, csv: seconds, testDays: '1' });
    // The last session ends at hour 119; those that end later than a day before are the test.
    expect(report.details).toMatchObject({ testSessions: 24, trainSessions: 96 });
    expect(report.metrics['hr@20']?.value).toBe(1);
    expect(await evaluateSessionsFile({ ...flags, csv: iso, testDays: '1' })).toEqual(report);
  });

  it('leaves rows without a session or an item out, and says how many', async () => {
    const csv = views('missing.csv', String, [
      `,p1,${1_700_000_000 + 5 * DAY}`,
      `s1,NA,${1_700_000_000 + 5 * DAY}`,
    ]);
    const report = await evaluateSessionsFile({ ...flags, csv });
    expect(report.warnings[0]).toBe('2 of 482 rows have no "session" or no "item" and were left out');
    expect(report.rows).toBe(482);
  });

  it('prints one JSON object', async () => {
    const printed: string[] = [];
    const args = [
      '--csv',
      views('json.csv', String),
      '--session',
      'session',
      '--item',
      'item',
      '--time',
      'at',
      '--json',
    ];
    await sessionsCommand((text) => void printed.push(text)).parseAsync(args, { from: 'user' });
    expect(JSON.parse(printed.join(''))).toMatchObject({ task: 'sessions', rows: 480, leaks: [] });
  });

  it.each([
    [{ testDays: '20' }, /--test-days 20 leaves no session to learn from: all of them end within 5\.0 days/],
    [{ testDays: 'x' }, /--test-days must be a positive number/],
    [{ item: 'sku' }, /no column "sku"/],
  ])('refuses %j', async (over, message) => {
    const csv = views('wrong.csv', String);
    await expect(evaluateSessionsFile({ ...flags, csv, ...over })).rejects.toThrow(message);
  });
});
