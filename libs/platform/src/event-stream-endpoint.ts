import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Gauge, type Registry } from 'prom-client';
import { readSigned, refuse, type SignatureChecking } from './signed-request.js';
import { readStreamRequest, type StreamedOperation, type StreamOperations } from './stream-operation.js';

export interface StreamEndpointOptions {
  operations: StreamOperations;
  checking: SignatureChecking;
  registry: Registry;
  /** pause between two signs of life of a silent stream, milliseconds */
  beatMs?: number;
  /** told of what should not have happened */
  onUnexpected(error: unknown): void;
}

/** How often a silent stream says that it lives, and how far it is. */
const BEAT_MS = 10_000;

/**
 * `POST /graphql/stream` of a subgraph: one subscription, signed like any other request, answered as `text/event-stream`. Each event has
 * the cursor after which to go on as its `id`: `ready` once the subscription stands, `next` with a result, `beat` while nothing happens,
 * `error` with what broke the stream, `complete` at its end. A stream that ends without one of the last two was lost, or the subgraph
 * shuts down: ask again with the last id as `extensions.resumeAfter`.
 */
export class EventStreamEndpoint {
  private readonly open = new Set<ServerResponse>();
  private draining = false;

  constructor(private readonly options: StreamEndpointOptions) {
    const open: Gauge = new Gauge({
      name: 'sextant_subgraph_streams_open',
      help: 'subscriptions that this process serves to the gateway at the moment',
      registers: [options.registry],
      collect: () => open.set(this.open.size),
    });
  }

  readonly answer = (request: IncomingMessage, response: ServerResponse): void => {
    this.serve(request, response).catch((error: unknown) => {
      if (!response.headersSent) return refuse({ request, response }, error, this.options.onUnexpected);
      this.options.onUnexpected(error);
      response.destroy();
    });
  };

  /** Ends every stream, so that the gateway goes on elsewhere. */
  drain(): void {
    this.draining = true;
    for (const response of this.open) response.end();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { operations, checking } = this.options;
    const { identity, body } = await readSigned(request, checking);
    const begun = await operations.begin(readStreamRequest(body), identity);
    if ('errors' in begun) {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      return void response.end(JSON.stringify(begun));
    }
    if (this.draining || response.destroyed) return void begun.source.return?.();
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    this.open.add(response);
    try {
      await this.stream(begun, response);
    } finally {
      this.open.delete(response);
      response.end();
    }
  }

  private async stream({ source, answer }: StreamedOperation, response: ServerResponse): Promise<void> {
    const { operations, beatMs = BEAT_MS } = this.options;
    response.once('close', () => void source.return?.());
    // A source has reached an event as soon as it hands it out; who listens has not before it was told.
    let told = source.cursor;
    let isTelling = false;
    const tell = (event: string, data: string): boolean => {
      if (!isTelling) told = source.cursor;
      return response.writableEnded || response.write(frame(event, told, data));
    };
    const beat = setInterval(() => tell('beat', '{}'), beatMs);
    try {
      tell('ready', '{}');
      for (;;) {
        const { value, done } = await source.next();
        if (response.destroyed || response.writableEnded) return;
        if (done) return void (this.draining || tell('complete', '{}'));
        const { cursor } = source;
        isTelling = true;
        const data = JSON.stringify(await answer(value));
        told = cursor;
        const hasRoom = tell('next', data);
        isTelling = false;
        if (!hasRoom) await drained(response);
      }
    } catch (error) {
      tell('error', JSON.stringify({ errors: [operations.failure(error)] }));
    } finally {
      clearInterval(beat);
      void source.return?.();
    }
  }
}

function frame(event: string, cursor: string | undefined, data: string): string {
  return `${cursor === undefined ? '' : `id: ${cursor}\n`}event: ${event}\ndata: ${data}\n\n`;
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const aborting = new AbortController();
  const { signal } = aborting;
  const ways = [once(response, 'drain', { signal }), once(response, 'close', { signal })];
  await Promise.race(ways.map((way) => way.catch(() => undefined))).finally(() => aborting.abort());
}
