import { Worker } from 'node:worker_threads';
import { DomainError, ERROR_KINDS, type ErrorCode } from '@sextant/domain';
import type {
  Discovered,
  DiscoverTask,
  FitReply,
  FitTask,
  LookalikeFound,
  LookalikeTask,
} from './segment-fit.messages.js';

/** Longest that one fit may take. */
const LIMIT_MS = 120_000;

/** Fits in a thread of its own. @throws DomainError DATA_INSUFFICIENT, TRAINING_FAILED, TRAINING_DEADLINE_EXCEEDED */
export async function fitSegments(task: DiscoverTask): Promise<Discovered> {
  return (await runFit(task)) as Discovered;
}

/** As {@link fitSegments}. */
export async function fitLookalike(task: LookalikeTask): Promise<LookalikeFound> {
  return (await runFit(task)) as LookalikeFound;
}

function runFit(task: FitTask): Promise<Discovered | LookalikeFound> {
  const entry = import.meta.url.endsWith('.ts') ? './segment-fit.worker.ts' : './segment-fit.worker.js';
  const worker = new Worker(new URL(entry, import.meta.url), {
    workerData: task,
    execArgv: [],
    name: 'segments',
  });
  return new Promise<Discovered | LookalikeFound>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new DomainError(
          'TRAINING_DEADLINE_EXCEEDED',
          `fitting segments took longer than ${LIMIT_MS / 1000} s: try fewer segments`,
        ),
      );
    }, LIMIT_MS);
    worker.once('message', (reply: FitReply) => {
      clearTimeout(timer);
      if (reply.ok) resolve(reply.result);
      else reject(new DomainError(codeOf(reply.code), reply.message));
    });
    const fail = (cause: unknown): void => {
      clearTimeout(timer);
      reject(
        new DomainError('TRAINING_FAILED', 'fitting segments ended without a result: try again', { cause }),
      );
    };
    worker.once('error', fail);
    worker.once('exit', fail); // after a message it comes too late to matter
  }).finally(() => worker.terminate());
}

function codeOf(code: string): ErrorCode {
  return Object.hasOwn(ERROR_KINDS, code) ? (code as ErrorCode) : 'TRAINING_FAILED';
}
