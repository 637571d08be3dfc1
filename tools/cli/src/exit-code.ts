import { DomainError } from '@sextant/domain';
import { CommanderError } from 'commander';

/** 0 done (help was asked for), 1 failed, 2 wrong usage; what commander has not said yet is said. */
export function exitCodeOf(error: unknown, say: (message: string) => void): 0 | 1 | 2 {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof DomainError) {
    say(`${error.code}: ${error.message}`);
    return error.kind === 'invalid-input' ? 2 : 1;
  }
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 1;
}
