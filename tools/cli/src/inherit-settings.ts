import type { Command } from 'commander';

/** The settings of the parent for a command and all below it: wrong usage throws at every depth, where commander alone would exit with 1. */
export function inheritSettings(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheritSettings(child, command);
  return command;
}
