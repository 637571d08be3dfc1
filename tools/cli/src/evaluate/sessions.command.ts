import { DomainError } from '@sextant/domain';
import type { EvaluationReport } from '@sextant/training/evaluation';
import type { Session } from '@sextant/learning/session';
import { evaluateSessionData } from '@sextant/training/sessions';
import { Command } from 'commander';
import { CsvFile } from './csv-file.js';
import { emitReport, type OutputFlags, type Print, withOutputFlags } from './evaluation-output.js';
import { unixMilliseconds } from './instants.js';
import { rowsByKey } from './rows-by-key.js';

export interface SessionFlags {
  csv: string;
  session: string;
  item: string;
  time: string;
  date?: string;
  testDays?: string;
  seed: string;
}

const DAY_MS = 86_400_000;
const TEST_SHARE = 0.2;

/** `sextant evaluate sessions`: the next item of a session. */
export function sessionsCommand(print: Print): Command {
  const command = new Command('sessions')
    .description('predict the next item of a session; one row a view')
    .requiredOption('--csv <file>', 'plain or .gz')
    .requiredOption('--session <column>', 'which session the view belongs to')
    .requiredOption('--item <column>', 'what was viewed')
    .requiredOption('--time <column>', 'ISO date-time, or a number that orders the views of a session')
    .option('--date <column>', 'day of the session, where --time only orders the views inside it')
    .option(
      '--test-days <n>',
      'sessions of the last n days are the test (default: the last fifth of the sessions)',
    );
  return withOutputFlags(command).action(async (flags: SessionFlags & OutputFlags) => {
    await emitReport(await evaluateSessionsFile(flags), flags, print);
  });
}

/** @throws DomainError INVALID_INPUT for columns or cells that do not fit, DATA_INSUFFICIENT when nothing can be predicted */
export async function evaluateSessionsFile(flags: SessionFlags): Promise<EvaluationReport> {
  const file = await CsvFile.read(flags.csv);
  const { sessions, warnings } = sessionsOf(file, flags);
  const ends = sessions.map(({ endedAt }) => endedAt).sort((a, b) => a - b);
  const testAfter = flags.testDays === undefined ? shareCut(ends) : daysCut(ends, flags.testDays);
  const report = await evaluateSessionData({
    sessions,
    rows: file.rows,
    testAfter,
    seed: Number(flags.seed),
  });
  return { ...report, warnings: [...warnings, ...report.warnings] };
}

/** The views of each session in order of time; rows of the same time keep the order of the file. */
function sessionsOf(
  file: CsvFile,
  { session, item, time, date }: SessionFlags,
): { sessions: Session[]; warnings: string[] } {
  const [items, times] = [file.texts(item), unixMilliseconds(file.times(time))];
  const days = date === undefined ? times : unixMilliseconds(file.times(date));
  const { rowsOf, warnings } = rowsByKey(file, session, item);
  const sessions = [...rowsOf.values()].map((rows) => ({
    items: rows.sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b).map((row) => items[row] ?? ''),
    endedAt: Math.max(...rows.map((row) => days[row] ?? 0)),
  }));
  return { sessions, warnings };
}

/** @throws DomainError INVALID_INPUT where no session ended before the last days */
function daysCut(ends: readonly number[], days: string): number {
  const [first = 0, last = 0] = [ends[0], ends.at(-1)];
  const cut = last - daysOf(days) * DAY_MS;
  if (first <= cut) return cut;
  throw new DomainError(
    'INVALID_INPUT',
    `--test-days ${days} leaves no session to learn from: all of them end within ${((last - first) / DAY_MS).toPrecision(2)} days (numbers count as Unix seconds or milliseconds); give fewer days, or the day of the session with --date`,
    { path: '--test-days' },
  );
}

function shareCut(ends: readonly number[]): number {
  return ends[Math.max(0, Math.floor(ends.length * (1 - TEST_SHARE)) - 1)] ?? 0;
}

function daysOf(text: string): number {
  const days = Number(text);
  if (days > 0 && Number.isFinite(days)) return days;
  throw new DomainError('INVALID_INPUT', `--test-days must be a positive number, got "${text}"`, {
    path: '--test-days',
  });
}
