import type { ConnectionFlags } from '../graph/connection.js';
import type { ModelClient } from './model.client.js';

/** Where a command speaks, and how it reaches the graph. */
export interface ModelSurroundings {
  print: (text: string) => void;
  /** progress and asides */
  say: (line: string) => void;
  /** what was asked for was not done, which makes the exit code 1 */
  fail: () => void;
  client: (flags: ConnectionFlags) => ModelClient;
}

/** Flags that every command on models has. */
export interface ModelFlags extends ConnectionFlags {
  json?: boolean;
}

/** Prints an answer as one line of JSON, or as text for people. */
export function printAnswer<T>(
  { print }: Pick<ModelSurroundings, 'print'>,
  { json }: ModelFlags,
  { answer, text }: { answer: T; text: (answer: T) => string },
): void {
  print(json ? `${JSON.stringify(answer)}\n` : text(answer));
}
