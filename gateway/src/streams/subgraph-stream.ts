import { setTimeout as pause } from 'node:timers/promises';
import { signRequest } from '@sextant/platform';
import { Agent, request as send } from 'undici';
import type { SubgraphAnswer, SubgraphFetch } from '../engine/engine.js';
import type { StreamProgress } from '../pipeline/operation.js';
import { asGraphQLError, failureOf, readAnswer } from '../subgraphs/subgraph-answer.js';
import { identityFor, type SubgraphEndpoint } from '../subgraphs/subgraph-endpoints.js';
import { bodyOf } from '../subgraphs/subgraph.client.js';
import { type EventFrame, readFrames } from './event-frames.js';

/** A subgraph says every 10 s that it lives. */
const SILENCE_MS = 30_000;
/** How long the first connection may take, and how long a lost one is tried to be made again. */
const FIRST_MS = 10_000;
const AGAIN_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/** Streams are connections of their own: one that is held for hours must not take the place of fetches. */
const CONNECTIONS = new Agent({
  connections: null,
  pipelining: 1,
  connect: { timeout: 2_000 },
  bodyTimeout: SILENCE_MS,
});

/** What became of one connection. */
type Ending = 'lost' | 'ended';

/**
 * The events of one subscription at a subgraph. A connection that is lost, because the subgraph restarts or the network breaks, is made
 * again after the last cursor, so that nobody behind it notices. It ends with an error that the subgraph states, when it is aborted,
 * or when the subgraph stays away.
 */
export class SubgraphStream {
  private cursor: string | null;
  private hasStood = false;
  private triedSinceMs = Date.now();
  private pauseMs = FIRST_PAUSE_MS;

  constructor(
    private readonly subgraph: string,
    private readonly endpoint: SubgraphEndpoint,
    private readonly fetch: SubgraphFetch,
  ) {
    this.cursor = this.progress?.after ?? null;
  }

  async *answers(): AsyncGenerator<SubgraphAnswer> {
    for (;;) {
      let lost: unknown = new Error('the stream ended too early');
      try {
        if ((yield* this.connection()) === 'ended') return;
      } catch (error) {
        lost = error;
      }
      if (this.signal?.aborted) return;
      if (Date.now() - this.triedSinceMs > (this.hasStood ? AGAIN_MS : FIRST_MS)) {
        yield { errors: [asGraphQLError(failureOf(lost, this.subgraph))] };
        return;
      }
      await pause(this.pauseMs * (0.5 + Math.random()));
      this.pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * this.pauseMs);
    }
  }

  private get progress(): StreamProgress | undefined {
    return this.fetch.context.stream;
  }

  private get signal(): AbortSignal | undefined {
    return this.fetch.context.signal;
  }

  private async *connection(): AsyncGenerator<SubgraphAnswer, Ending> {
    const { statusCode, headers, body } = await this.connect();
    if (!String(headers['content-type']).startsWith('text/event-stream')) {
      const answer = readAnswer({ status: statusCode, body: await body.text() }, this.subgraph);
      if (this.hasStood && passesBy(answer)) return 'lost';
      yield answer;
      return 'ended';
    }
    for await (const frame of readFrames(body)) {
      this.triedSinceMs = Date.now();
      const answer = this.hear(frame);
      if (frame.event === 'error' && passesBy(answer)) return 'lost';
      if (answer) yield answer;
      if (frame.event === 'error' || frame.event === 'complete') return 'ended';
    }
    return 'lost';
  }

  private connect() {
    const { url, secret } = this.endpoint;
    const { context } = this.fetch;
    const path = `${url.pathname.replace(/\/$/, '')}/stream`;
    const resume =
      this.cursor === null ? '' : `,"extensions":${JSON.stringify({ resumeAfter: this.cursor })}`;
    const body = `${bodyOf(this.fetch).slice(0, -1)}${resume}}`;
    const identity = identityFor(this.endpoint, context.identity);
    const signed =
      secret === null
        ? {}
        : signRequest({ receiver: this.subgraph, method: 'POST', path, body }, identity, {
            secret,
            nowMs: Date.now(),
          });
    return send(`${url.origin}${path}`, {
      method: 'POST',
      dispatcher: CONNECTIONS,
      headers: {
        ...{
          'content-type': 'application/json',
          accept: 'text/event-stream',
          'x-request-id': context.requestId,
        },
        ...(context.span && { traceparent: context.span.traceparent }),
        ...signed,
      },
      body,
      headersTimeout: FIRST_MS,
      ...(this.signal && { signal: this.signal }),
    });
  }

  /** @returns what the event says to those behind; null: nothing */
  private hear({ id, event, data }: EventFrame): SubgraphAnswer | null {
    if (id !== '') this.cursor = id;
    if (event === 'ready') {
      this.hasStood = true;
      this.pauseMs = FIRST_PAUSE_MS;
    }
    if (event === 'ready' || event === 'beat') this.progress?.idle(this.cursor);
    if (event !== 'next' && event !== 'error') return null;
    if (this.progress) this.progress.cursor = this.cursor;
    return readAnswer({ status: 200, body: data }, this.subgraph);
  }
}

/** Errors of a moment: we were too slow, or the store is away. What happened is all still there, after the cursor. */
const PASSING: ReadonlySet<unknown> = new Set([
  'STREAM_OVERFLOW',
  'STORE_UNAVAILABLE',
  'STORE_DEADLINE_EXCEEDED',
]);

function passesBy(answer: SubgraphAnswer | null): boolean {
  return answer?.errors?.some(({ extensions }) => PASSING.has(extensions['code'])) ?? false;
}
