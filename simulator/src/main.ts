import { exitCodeOf } from './exit-code.js';
import { simulate, simulateCommand } from './simulate.command.js';

const command = simulateCommand(simulate, process.env['SEXTANT_DATA_DIR'] ?? '.data').exitOverride();

try {
  await command.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error, (message) => process.stderr.write(`${message}\n`));
}
