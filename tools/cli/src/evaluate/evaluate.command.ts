import { Command } from 'commander';
import { driftCommand } from './drift.command.js';
import type { Print } from './evaluation-output.js';
import { priceCommand } from './price.command.js';
import { recommendCommand } from './recommend.command.js';
import { lifetimeCommand } from './lifetime.command.js';
import { segmentsCommand } from './segments.command.js';
import { sessionsCommand } from './sessions.command.js';
import { upliftCommand } from './uplift.command.js';
import { tableCommand } from './table.command.js';

/** `sextant evaluate <task>`: train on one's own file as for serving, measure on rows that no choice has seen. */
export function evaluateCommand(print: Print): Command {
  const command = new Command('evaluate').description(
    "train on your own data as for serving, and measure on rows that no choice has seen; '<task> --help' says the columns",
  );
  const tasks: readonly ((print: Print) => Command)[] = [
    lifetimeCommand,
    tableCommand,
    recommendCommand,
    sessionsCommand,
    upliftCommand,
    priceCommand,
    segmentsCommand,
    driftCommand,
  ];
  for (const task of tasks) command.addCommand(task(print).copyInheritedSettings(command));
  return command;
}
