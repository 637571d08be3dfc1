import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateLifetimeFile, lifetimeCommand } from './lifetime.command.js';

describe('sextant evaluate lifetime', () => {
  let folder = '';
  let csv = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sextant-lifetime-'));
    csv = join(folder, 'orders.csv');
    const rows = ['who,when,paid'];
    for (let customer = 0; customer < 60; customer++) {
      for (let week = customer % 5; week < 30; week += 1 + (customer % 9)) {
        const day = new Date(Date.UTC(2026, 0, 1 + 7 * week)).toISOString().slice(0, 10);
        rows.push(`c${customer},${day} 10:00,${10 + (customer % 7)}`);
      }
    }
    rows.push(',2026-01-05,9', 'c1,2026-03-01,', 'c2,2026-02-01,-3');
    await writeFile(csv, `${rows.join('\n')}\n`);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const flags = () => ({
    csv,
    customer: 'who',
    date: 'when',
    amount: 'paid',
    calibrationEnd: '2026-04-30',
    periodDays: '7',
    seed: '1',
  });

  it('prints one JSON object', async () => {
    let printed = '';
    const command = new Command().addCommand(lifetimeCommand((text) => (printed += text)));
    const words = [
      'lifetime',
      '--csv',
      csv,
      '--customer',
      'who',
      '--date',
      'when',
      '--amount',
      'paid',
      '--calibration-end',
      '2026-04-30',
      '--json',
    ];
    await command.parseAsync(words, { from: 'user' });
    const report = JSON.parse(printed) as Record<string, Record<string, unknown>>;
    expect(report['task']).toBe('lifetime');
    expect(report['metrics']?.['maeTransactions']).toMatchObject({
      value: expect.any(Number) as number,
      level: 0.9,
    });
    expect(report).not.toHaveProperty('plots');
  });

  it('leaves out rows without a customer or an amount, and says so', async () => {
    const { warnings, rows, test } = await evaluateLifetimeFile(flags());
    expect(warnings[0]).toBe(`2 of ${rows} rows have no who or no paid and were left out`);
    expect(test).toBe(60);
  });

  it.each([
    [{ customer: 'nobody' }, 'has no column "nobody"'],
    [{ date: 'who' }, 'in column "who" is no date'],
    [{ amount: 'who' }, 'in column "who" is no number'],
    [{ calibrationEnd: 'May' }, '"May" in column "--calibration-end" is no date'],
    [{ calibrationEnd: '2030-01-01' }, 'nothing is left to measure'],
    [{ periodDays: '0' }, '--period-days must be a positive number, got "0"'],
  ])('refuses %j', async (wrong, message) => {
    await expect(evaluateLifetimeFile({ ...flags(), ...wrong })).rejects.toThrow(message);
  });
});
