import { Command } from 'commander';
import { keyCommand } from './access/key.command.js';
import { tokenCommand } from './access/token.command.js';
import { auditCommand } from './audit/audit.command.js';
import { batchCommand } from './batch/batch.command.js';
import { evaluateCommand } from './evaluate/evaluate.command.js';
import { exitCodeOf } from './exit-code.js';
import { importCommand } from './import/import.command.js';
import { inheritSettings } from './inherit-settings.js';
import { modelCommand } from './model/model.command.js';

const authority = {
  dataDir: process.env['SEXTANT_DATA_DIR'] ?? '.data',
  issuer: process.env['SEXTANT_ISSUER'] ?? 'sextant-local',
  audience: process.env['SEXTANT_AUDIENCE'] ?? 'sextant',
};

const program = new Command('sextant')
  .description('work with a Sextant installation from the command line')
  .exitOverride();
const output = {
  print: (text: string) => process.stdout.write(text),
  say: (line: string) => process.stderr.write(`${line}\n`),
  fail: () => {
    process.exitCode = 1;
  },
};
for (const command of [
  importCommand(authority, output),
  modelCommand(authority, output),
  batchCommand(authority, output),
  tokenCommand(authority),
  keyCommand(authority, output),
  auditCommand({
    ...output,
    dataDir: authority.dataDir,
    store: process.env['MONGODB_URI'],
    secret: process.env['SEXTANT_AUDIT_SECRET'],
  }),
  evaluateCommand(output.print),
]) {
  program.addCommand(inheritSettings(command, program));
}

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error, (message) => process.stderr.write(`${message}\n`));
}
