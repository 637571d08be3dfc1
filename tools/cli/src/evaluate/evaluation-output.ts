import { statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { DomainError } from '@sextant/domain';
import type { Command } from 'commander';
import { reportPage } from './report-page.js';
import { reportTable } from './report-table.js';

export type Print = (text: string) => void;

/** Flags that every evaluation has. */
export interface OutputFlags {
  json?: boolean;
  report?: string;
  seed: string;
}

export function withOutputFlags(command: Command): Command {
  return command
    .option('--json', 'print one JSON object instead of the table')
    .option('--report <file.html>', 'write a page with plots', pageOf)
    .option('--seed <n>', 'seed of everything that is drawn', seedOf, '1');
}

/** @throws DomainError INVALID_INPUT for anything but a whole number that LightGBM can take too */
function seedOf(text: string): string {
  if (/^\d{1,9}$/.test(text)) return text;
  throw new DomainError('INVALID_INPUT', `--seed must be a whole number up to 999999999, got "${text}"`, {
    path: '--seed',
  });
}

/** Asked before anything is trained. @throws DomainError INVALID_INPUT where the page could not be written */
function pageOf(path: string): string {
  const isFolder = (at: string): boolean => statSync(at, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isFolder(dirname(path)) && !isFolder(path)) return path;
  throw new DomainError(
    'INVALID_INPUT',
    `--report ${path}: give the path of a file in a folder that is there`,
    {
      path: '--report',
    },
  );
}

/** Prints the report as JSON or as a table, and writes the page where one is asked for. */
export async function emitReport(report: EvaluationReport, flags: OutputFlags, print: Print): Promise<void> {
  const { plots: _, ...printed } = report;
  print(flags.json ? `${JSON.stringify(printed)}\n` : reportTable(report));
  if (flags.report !== undefined) await writeFile(flags.report, reportPage(report));
}
