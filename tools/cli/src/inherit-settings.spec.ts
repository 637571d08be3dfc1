import { Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { evaluateCommand } from './evaluate/evaluate.command.js';
import { exitCodeOf } from './exit-code.js';
import { inheritSettings } from './inherit-settings.js';

describe('inheritSettings', () => {
  it.each([
    [['evaluate', 'table', '--csv', 'leads.csv'], 2],
    [['evaluate', 'table', '--csv', 'leads.csv', '--target', 'won', '--colour'], 2],
    [['evaluate', 'nothing'], 2],
    [['evaluate', 'table', '--help'], 0],
  ] as const)('lets %j end with %d, not in the middle of commander', async (args, code) => {
    const program = new Command('sextant')
      .exitOverride()
      .configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    program.addCommand(
      inheritSettings(
        evaluateCommand(() => undefined),
        program,
      ),
    );
    const failed: unknown = await program.parseAsync(args, { from: 'user' }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(CommanderError);
    expect(exitCodeOf(failed, () => undefined)).toBe(code);
  });
});
