import { DomainError } from '@sextant/domain';
import { CommanderError } from 'commander';
import { simulate, simulateCommand } from './simulate.command.js';

const command = simulateCommand(simulate, process.env['SEXTANT_DATA_DIR'] ?? '.data').exitOverride();

try {
  await command.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** 0 done (help was asked for), 1 failed, 2 wrong usage. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof DomainError && error.kind === 'invalid-input') {
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
}
