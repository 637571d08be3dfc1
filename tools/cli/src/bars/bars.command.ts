import { stat } from 'node:fs/promises';
import { DomainError } from '@sextant/domain';
import { Command } from 'commander';
import type { BarRun } from './bar.js';
import { barTable, runBars } from './run-bars.js';

export interface BarsOutput {
  print: (text: string) => void;
  /** Progress, apart from the result. */
  say: (line: string) => void;
  /** Told when a bar is missed. */
  fail: () => void;
}

interface BarFlags {
  data: string;
  only?: string;
  json?: boolean;
}

/** `npm run evaluate -- --data DIR`: every bar on public data, measured beside wanted. */
export function barsCommand(runs: readonly BarRun[], { print, say, fail }: BarsOutput): Command {
  return new Command('evaluate')
    .description('measure every bar on public data; a data set that is absent is skipped')
    .requiredOption('--data <dir>', 'folder with one folder a data set')
    .option('--only <text>', 'only what has this text in its data set or task')
    .option('--json', 'print a JSON array instead of the table')
    .action(async ({ data, only, json }: BarFlags) => {
      await assertFolder(data);
      if (only !== undefined && !runs.some((run) => run.dataset.includes(only) || run.task.includes(only))) {
        const names = [...new Set(runs.map((run) => run.dataset))].join(', ');
        throw new DomainError('INVALID_INPUT', `--only "${only}" names none of ${names}`, { path: '--only' });
      }
      const results = await runBars(runs, only === undefined ? { data, say } : { data, only, say });
      print(json ? `${JSON.stringify(results)}\n` : barTable(results));
      if (results.some((result) => !result.passed)) fail();
    });
}

async function assertFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return;
  throw new DomainError(
    'INVALID_INPUT',
    `--data must be a folder with one folder a data set, got "${path}"`,
    {
      path: '--data',
    },
  );
}
