import { DomainError } from '@sextant/domain';
import { Command, CommanderError } from 'commander';
import { tokenCommand } from './access/token.command.js';
import { importCommand } from './import/import.command.js';

const authority = {
  dataDir: process.env['SEXTANT_DATA_DIR'] ?? '.data',
  issuer: process.env['SEXTANT_ISSUER'] ?? 'sextant-local',
  audience: process.env['SEXTANT_AUDIENCE'] ?? 'sextant',
};

const program = new Command('sextant')
  .description('work with a Sextant installation from the command line')
  .exitOverride();
const fail = () => {
  process.exitCode = 1;
};
for (const command of [importCommand(authority, fail), tokenCommand(authority)])
  program.addCommand(command.copyInheritedSettings(program));

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** 0 done (help was asked for), 1 failed, 2 wrong usage. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof DomainError) {
    process.stderr.write(`${error.code}: ${error.message}\n`);
    return error.kind === 'invalid-input' ? 2 : 1;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}
