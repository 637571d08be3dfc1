import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Identity } from '@sextant/domain';
import { buildSchema } from 'graphql';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { EventStreamEndpoint } from './event-stream-endpoint.js';
import { graphqlErrorFormatter } from './graphql-error.js';
import { ReplayGuard } from './replay-guard.js';
import { signRequest } from './request-signature.js';
import { type ResumableEvents, StreamOperations } from './stream-operation.js';

const SECRET = 'a secret of thirty-two characters';
const PATH = '/graphql/stream';
const IDENTITY: Identity = { subject: 'subscribers', tenantId: 'demo', roles: [], scopes: [] };
const BEAT_MS = 5;

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Two events; like a feed, it has reached an event as soon as that is handed out. */
class Ticks implements ResumableEvents, AsyncIterator<{ n: number }> {
  private reached = 0;

  get cursor(): string {
    return String(this.reached);
  }

  next(): Promise<IteratorResult<{ n: number }>> {
    if (this.reached === 2) return new Promise(() => undefined); // nothing more happens
    this.reached += 1;
    return Promise.resolve({ value: { n: this.reached }, done: false });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** An endpoint whose second event takes until `go` is called to be answered. */
async function anEndpoint() {
  const gate = Promise.withResolvers<void>();
  const schema = buildSchema('type Query { a: Int } type Subscription { tick: Tick } type Tick { n: Int }');
  const fields = schema.getSubscriptionType()?.getFields();
  const tick = fields?.['tick'];
  const n = schema.getType('Tick');
  if (!tick || !n || !('getFields' in n)) throw new Error('the schema has no ticks');
  tick.subscribe = () => new Ticks();
  tick.resolve = (event: unknown) => event;
  Object.assign(n.getFields()['n'] ?? {}, {
    resolve: async (event: { n: number }) => {
      if (event.n === 2) await gate.promise;
      return event.n;
    },
  });
  const endpoint = new EventStreamEndpoint({
    operations: new StreamOperations(
      schema,
      graphqlErrorFormatter(() => undefined),
    ),
    checking: {
      receiver: 'ticks',
      secret: SECRET,
      maxAgeMs: 30_000,
      now: Date.now,
      replays: new ReplayGuard(30_000),
    },
    registry: new Registry(),
    onUnexpected: () => undefined,
    beatMs: BEAT_MS,
  });
  server = createServer(endpoint.answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${PATH}`, endpoint, go: gate.resolve };
}

/** What comes, as text, as far as it came. */
async function opened(url: string) {
  const body = JSON.stringify({ query: 'subscription { tick { n } }' });
  const signed = signRequest({ receiver: 'ticks', method: 'POST', path: PATH, body }, IDENTITY, {
    secret: SECRET,
    nowMs: Date.now(),
  });
  const response = await fetch(url, { method: 'POST', body, headers: signed });
  const heard = { text: '', isOver: false };
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) heard.text += decoder.decode(chunk as Uint8Array);
    heard.isOver = true;
  })();
  reading.catch(() => undefined);
  return heard;
}

const beatsIn = (text: string) => [...text.matchAll(/id: (\d+)\nevent: beat/g)].map(([, id]) => Number(id));

describe('a stream of events', () => {
  it('says that it has reached an event when that was told, and not while it is being answered', async () => {
    const { url, go } = await anEndpoint();
    const heard = await opened(url);
    await expect.poll(() => beatsIn(heard.text).length).toBeGreaterThan(3);
    expect(heard.text).toContain('id: 1\nevent: next');
    expect(heard.text).not.toContain('id: 2\n');
    go();
    await expect.poll(() => heard.text).toMatch(/id: 2\nevent: beat/);
    expect(heard.text.indexOf('id: 2\nevent: next')).toBe(heard.text.indexOf('id: 2\n'));
  });

  it('ends at once when its process goes down, also while an event is being answered', async () => {
    const fatal: Error[] = [];
    const onFatal = (error: Error): void => void fatal.push(error);
    process.on('uncaughtExceptionMonitor', onFatal);
    const { url, endpoint, go } = await anEndpoint();
    const heard = await opened(url);
    await expect.poll(() => heard.text).toContain('id: 1\nevent: next');
    const beats = beatsIn(heard.text).length;
    await expect.poll(() => beatsIn(heard.text).length).toBeGreaterThan(beats);
    endpoint.drain();
    go();
    await expect.poll(() => heard.isOver).toBe(true);
    expect(heard.text).not.toContain('id: 2\n');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('uncaughtExceptionMonitor', onFatal);
    expect(fatal).toEqual([]);
  });
});
