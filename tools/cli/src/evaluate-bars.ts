import { BAR_RUNS } from './bars/bar-runs.js';
import { barsCommand } from './bars/bars.command.js';
import { exitCodeOf } from './exit-code.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const command = barsCommand(BAR_RUNS, {
  print: (text) => process.stdout.write(text),
  say,
  fail: () => {
    process.exitCode = 1;
  },
}).exitOverride();

try {
  await command.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error, say);
}
