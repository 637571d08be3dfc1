import type { ExecutionResult } from 'graphql';

/** One result of a subscription, written once for everybody who gets it. */
export interface StreamEvent {
  /** after which to go on; null where the subgraph gave none */
  cursor: string | null;
  /** the result as JSON */
  json: string;
  /** the same as an event of `text/event-stream` */
  frame: Buffer;
}

/** Why a subscriber gets no more events. */
export type StreamEnd =
  /** there are none any more */
  | 'complete'
  /** the gateway goes down: subscribe again, after the last cursor */
  | 'moved';

/** Whoever gets the events of a subscription. */
export interface Subscriber {
  next(event: StreamEvent): void;
  /** nothing happens; @param cursor  after which to go on by now */
  beat(cursor: string | null): void;
  end(end: StreamEnd): void;
}

export function streamEvent(result: ExecutionResult, cursor: string | null): StreamEvent {
  const json = JSON.stringify(withoutStatus(result));
  const id = cursor === null ? '' : `id: ${cursor}\n`;
  return { cursor, json, frame: Buffer.from(`${id}event: next\ndata: ${json}\n\n`) };
}

/** HTTP statuses that guards state are for HTTP alone. */
export function withoutStatus(result: ExecutionResult): object {
  if (!result.errors) return result;
  const errors = result.errors.map((error) => {
    const { http: _, ...extensions } = error.extensions;
    return { ...error.toJSON(), extensions };
  });
  return { ...result, errors };
}
