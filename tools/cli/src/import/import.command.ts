import { statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DomainError } from '@sextant/domain';
import { Command } from 'commander';
import type { TokenAuthority } from '../access/token-mint.js';
import { wholeNumber } from '../flags.js';
import { connectionOf } from '../graph/connection.js';
import { GraphClient } from '../graph/graph.client.js';
import { readMapping } from '../mapping/mapping-file.js';
import { runImport } from './import-run.js';
import { type ImportSummary, printSummary } from './import-summary.js';

const COMPUTING_POLL_MS = 200;
/** Longest wait for features after the last row. */
const LONGEST_COMPUTING_MS = 600_000;

interface Flags {
  mapping: string;
  data: string;
  batch: string;
  inFlight: string;
  tenant?: string;
  url?: string;
  token?: string;
  allowRejected?: boolean;
  json?: boolean;
}

/** The simulator writes the form of the contract. */
const ALIASES: Readonly<Record<string, string>> = { simulator: 'ndjson' };

/** Where a command speaks. */
export interface Output {
  print: (text: string) => void;
  /** Rows were rejected, which makes the exit code 1. */
  fail: () => void;
}

export function importCommand(authority: TokenAuthority, { print, fail }: Output): Command {
  return new Command('import')
    .description('read CSV and NDJSON files as a mapping says and send them to the gateway')
    .requiredOption(
      '--mapping <file>',
      'a mapping file, or the name of a shipped one: simulator, movielens_100k, bank_marketing, oj_dominicks',
    )
    .requiredOption('--data <dir>', 'folder of the files that the mapping names')
    .option(
      '--tenant <tenant>',
      'import into this tenant of the local installation (default: the one that npm start made)',
    )
    .option('--url <url>', 'GraphQL endpoint (default: that of the local installation)')
    .option('--token <token>', 'bearer token (default: one of the local installation)')
    .option('--batch <n>', 'rows in one request', '2000')
    .option('--in-flight <n>', 'requests under way at once', '4')
    .option('--allow-rejected', 'exit 0 even when rows were rejected')
    .option('--json', 'print the summary as JSON')
    .action(async (flags: Flags) => {
      const summary = await importWith(flags, authority);
      print(flags.json ? `${JSON.stringify(summary)}\n` : printSummary(summary));
      if (summary.rejected > 0 && !flags.allowRejected) fail();
    });
}

async function importWith(flags: Flags, authority: TokenAuthority): Promise<ImportSummary> {
  const batch = wholeNumber('--batch', flags.batch, 100_000);
  const inFlight = wholeNumber('--in-flight', flags.inFlight, 64);
  if (statSync(flags.data, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new DomainError('INVALID_INPUT', `--data must be a folder that exists, got "${flags.data}"`, {
      path: '--data',
    });
  }
  const mapping = readMapping(mappingPath(flags.mapping));
  let retries = 0;
  const progress = progressPrinter();
  const onRetry = (reason: string): void => {
    if (retries++ === 0)
      progress.tell(`the gateway does not take it yet (${reason}), trying for two minutes`);
  };
  const graph = new GraphClient({ ...connectionOf(flags, authority), onRetry });
  const options = { mapping, mappingName: flags.mapping, dataFolder: flags.data, graph, batch, inFlight };
  const summary = await runImport({ ...options, progress: progress.show });
  if (summary.eventsAccepted > 0) await untilComputed(graph, progress.say);
  progress.end();
  return { ...summary, retries };
}

/** A path, or the bare name of a mapping that is shipped. */
function mappingPath(given: string): string {
  if (/[./\\]/.test(given) || statSync(given, { throwIfNoEntry: false })?.isFile() === true) return given;
  return fileURLToPath(new URL(`../../mappings/${ALIASES[given] ?? given}.yaml`, import.meta.url));
}

/** Waits until features know every event, so that whoever asks next gets answers on what was just imported. */
async function untilComputed(
  graph: Pick<GraphClient, 'pendingBatches'>,
  say: (line: string) => void,
): Promise<void> {
  const giveUpAt = Date.now() + LONGEST_COMPUTING_MS;
  for (let pending = await graph.pendingBatches(); pending > 0; pending = await graph.pendingBatches()) {
    if (Date.now() > giveUpAt) return say(`${pending} batches are still being computed; ask ingestionStatus`);
    say(`computing features: ${pending} batches to go`);
    await wait(COMPUTING_POLL_MS);
  }
}

/** One line rewritten on a terminal; otherwise a line at most every five seconds. */
function progressPrinter(): {
  show: (file: string, share: number, summary: ImportSummary) => void;
  say: (line: string) => void;
  /** a line that stays, at once */
  tell: (line: string) => void;
  end: () => void;
} {
  const isTerminal = process.stderr.isTTY === true;
  const everyMs = isTerminal ? 200 : 5_000;
  let shownAt = Date.now();
  const say = (line: string): void => {
    if (Date.now() - shownAt < everyMs) return;
    shownAt = Date.now();
    process.stderr.write(isTerminal ? `\r${line}\u001b[K` : `${line}\n`);
  };
  return {
    say,
    tell(line) {
      process.stderr.write(isTerminal ? `\r${line}\u001b[K\n` : `${line}\n`);
    },
    show(file, share, summary) {
      const done = summary.eventsAccepted + summary.eventsDuplicate;
      say(
        `importing ${file}: ${Math.min(100, Math.floor(100 * share))} % read, ${done.toLocaleString('en')} events taken`,
      );
    },
    end() {
      if (isTerminal) process.stderr.write('\r\u001b[K');
    },
  };
}
