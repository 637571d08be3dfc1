import { asDomainError } from '@sextant/platform';
import { DomainError } from '@sextant/domain';
import { MongoBulkWriteError } from 'mongodb';

/** Injection token of the native driver's `Db`: ingestion and features go past mongoose, which costs several times as much. */
export const DATABASE = Symbol('database');

const DUPLICATE_KEY = 11_000;

/**
 * Row numbers of an unordered bulk write that failed only because their key was there already.
 *
 * @throws whatever else went wrong, a failed write concern included
 */
export function duplicateRows(error: unknown): number[] {
  if (!(error instanceof MongoBulkWriteError) || error.err) throw error;
  const rows = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  if (rows.length === 0 || rows.some(({ code }) => code !== DUPLICATE_KEY)) throw storeFailure(error);
  return rows.map(({ index }) => index);
}

/** The failure under a code that tells the client to send the same again. */
export function storeFailure(error: unknown): DomainError {
  return (
    asDomainError(error) ??
    new DomainError('STORE_UNAVAILABLE', 'the store did not take the write; send the same batch again', {
      cause: error,
    })
  );
}

/** The work's result, or STORE_DEADLINE_EXCEEDED after `timeoutMs`; the work itself goes on and its end is ignored. */
export async function withinDeadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new DomainError('STORE_DEADLINE_EXCEEDED', 'the store did not answer in time; send the same again'),
        ),
      timeoutMs,
    );
  });
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}
