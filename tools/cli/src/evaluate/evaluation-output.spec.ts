import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type OutputFlags, withOutputFlags } from './evaluation-output.js';

function parsed(...args: string[]): OutputFlags {
  return withOutputFlags(new Command()).parse(args, { from: 'user' }).opts<OutputFlags>();
}

describe('withOutputFlags', () => {
  it('takes a page in a folder that is there, and seed 1 where none is given', () => {
    const report = join(tmpdir(), 'page.html');
    expect(parsed('--report', report, '--json')).toEqual({ report, json: true, seed: '1' });
  });

  it.each([
    [
      ['--report', join(tmpdir(), 'no-such-folder', 'page.html')],
      'give the path of a file in a folder that is there',
    ],
    [['--report', tmpdir()], 'give the path of a file in a folder that is there'],
    [['--seed', '1.5'], '--seed must be a whole number'],
    [['--seed', '-1'], '--seed must be a whole number'],
  ])('refuses %j before anything is trained', (args, message) => {
    expect(() => parsed(...args)).toThrow(message);
  });
});
