import { DomainError } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import { DEMO_PLAN } from './company-plan.js';
import { exitCodeOf } from './exit-code.js';
import { simulateCommand, type SimulateOptions } from './simulate.command.js';

async function parse(...args: string[]): Promise<SimulateOptions> {
  let given: SimulateOptions | undefined;
  const command = simulateCommand((options) => {
    given = options;
    return Promise.reject(new Error('only the options are wanted'));
  }, '.data')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  await command.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
    if (given === undefined) throw error;
  });
  if (given === undefined) throw new Error('the command did not run');
  return given;
}

describe('simulate', () => {
  it('simulates the demo company unless told otherwise', async () => {
    expect((await parse('--out', 'x')).plan).toEqual(DEMO_PLAN);
    const { plan } = await parse(
      '--out',
      'x',
      '--customers',
      '7',
      '--until',
      '2026-02-03T00:00:00.000Z',
      '--events-per-customer',
      '9',
    );
    expect(plan).toMatchObject({ customers: 7, untilMs: Date.UTC(2026, 1, 3), eventsPerCustomer: 9 });
  });

  it.each([
    ['--customers', 'many', 'from 1 to 20000000, got "many"'],
    ['--customers', '0', 'got "0"'],
    ['--days', '1.5', 'got "1.5"'],
    ['--seed', '-1', 'got "-1"'],
    ['--products', '1e3', 'got "1e3"'],
    ['--events-per-customer', '1', 'got "1"'],
    ['--until', '2026-02-30', 'got "2026-02-30"'],
    ['--until', '2026-02-03T12:00:00Z', 'midnight UTC'],
    ['--until', 'today', 'got "today"'],
  ])('refuses %s %s with exit code 2 and a message that names it', async (flag, value, message) => {
    const error: unknown = await parse('--out', 'x', `${flag}=${value}`).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DomainError);
    const said: string[] = [];
    expect(exitCodeOf(error, (text) => said.push(text))).toBe(2);
    expect(said.join()).toContain(`${flag} must be`);
    expect(said.join()).toContain(message);
  });

  it('refuses unknown options and a missing folder with exit code 2, and fails otherwise with 1', async () => {
    for (const args of [['--out', 'x', '--colour', 'red'], []]) {
      const error: unknown = await parse(...args).catch((thrown: unknown) => thrown);
      expect(exitCodeOf(error, () => undefined)).toBe(2);
    }
    expect(exitCodeOf(new Error('disk full'), () => undefined)).toBe(1);
  });
});
