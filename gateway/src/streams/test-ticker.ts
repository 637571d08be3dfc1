import { EventEmitter, once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { DomainError, type Identity } from '@sextant/domain';
import {
  EventStreamEndpoint,
  graphqlErrorFormatter,
  ReplayGuard,
  type StreamContext,
  StreamOperations,
} from '@sextant/platform';
import { type GraphQLSchema, parse } from 'graphql';
import { Registry } from 'prom-client';
import { aGateway, composeTiny, TYPE_DEFS } from '../test-gateway.js';

const TICKER_SECRET = 'another secret of thirty-two chars';
const TYPES = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])
  type Customer @key(fields: "id", resolvable: false) { id: ID! }
  type Tick {
    cursor: String!
    n: Int!
    broken: String
    subject: String
    secret: String @requiresScopes(scopes: [["lead:read"]])
    customer: Customer
  }
  type Query { nothing: Int @requiresScopes(scopes: [["customer:read"]]) }
  type Subscription { ticks(after: String, room: String): Tick! @requiresScopes(scopes: [["customer:read"]]) }`;

interface Tick {
  tenantId: string;
  n: number;
  text: string;
}

/** A subgraph whose events a test makes; their cursors are the numbers of the log's lines. */
export class Ticker {
  readonly begun: { identity: Identity; after: string | null }[] = [];
  private readonly log: Tick[] = [];
  private readonly news = new EventEmitter().setMaxListeners(0);
  private server: Server | null = null;
  private endpoint: EventStreamEndpoint | null = null;
  private port = 0;
  executed = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}/graphql`;
  }

  tick(n: number, tenantId = 'demo', text = ''): void {
    this.log.push({ tenantId, n, text });
    this.news.emit('tick');
  }

  async start(): Promise<void> {
    const operations = new StreamOperations(
      this.schema(),
      graphqlErrorFormatter(() => undefined),
    );
    const replays = new ReplayGuard(5_000);
    const checking = {
      receiver: 'ticker',
      secret: TICKER_SECRET,
      maxAgeMs: 5_000,
      now: Date.now,
      replays,
    };
    const endpoint = new EventStreamEndpoint({
      ...{ operations, checking, registry: new Registry(), onUnexpected: () => undefined },
    });
    this.endpoint = endpoint;
    this.server = createServer((request, response) => {
      if (request.url === '/graphql/stream') endpoint.answer(request, response);
      else
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"data":{"__typename":"Query"}}');
    });
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** As a crash: connections end in the middle. */
  async die(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  async stop(): Promise<void> {
    this.endpoint?.drain();
    await this.die();
  }

  private schema(): GraphQLSchema {
    const subscribe = (_: unknown, { after }: { after?: string | null }, context: StreamContext) => {
      const from = context.resumeAfter ?? after ?? null;
      this.begun.push({ identity: context.identity, after: from });
      return this.events(context.identity.tenantId, from === null ? this.log.length : Number(from));
    };
    const tick = {
      secret: () => 'a secret',
      customer: () => ({ id: 'cus_1' }),
      broken: () => {
        throw new Error('password of the database: hunter2');
      },
    };
    const resolve = (event: unknown): unknown => {
      this.executed += 1;
      return event;
    };
    const resolvers = { Tick: tick, Subscription: { ticks: { subscribe, resolve } } };
    return buildSubgraphSchema([{ typeDefs: parse(TYPES), resolvers: resolvers as never }]);
  }

  private events(tenantId: string, from: number) {
    if (!Number.isInteger(from)) throw new DomainError('INVALID_CURSOR', 'no cursor', { path: 'after' });
    const { log, news } = this;
    const leaving = new AbortController();
    let at = from;
    const next = async () => {
      for (;;) {
        if (leaving.signal.aborted) return { done: true, value: undefined };
        const event = log[at];
        if (!event) await once(news, 'tick', { signal: leaving.signal }).catch(() => undefined);
        else at += 1;
        if (event?.tenantId === tenantId)
          return { done: false, value: { cursor: String(at), n: event.n, subject: event.text } };
      }
    };
    return {
      get cursor() {
        return String(at);
      },
      next,
      async return() {
        leaving.abort();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

/** A gateway over the tiny subgraphs and a ticker. */
export async function aTickingGateway(env: Record<string, string> = {}) {
  const ticker = new Ticker();
  await ticker.start();
  const folder = mkdtempSync(join(tmpdir(), 'sextant-ticks-'));
  const place = join(folder, 'supergraph.graphql');
  const sdl = composeTiny({ ...TYPE_DEFS, ticker: TYPES });
  writeFileSync(place, sdl);
  const gateway = await aGateway({
    ...{ SUPERGRAPH_PATH: place, SUPERGRAPH_POLL_MS: '100' },
    ...{ SUBGRAPH_URLS: `ticker=${ticker.url}`, SUBGRAPH_SECRETS: `ticker=${TICKER_SECRET}` },
    ...env,
  });
  return {
    ...gateway,
    ticker,
    /** writes another supergraph, equal but for a comment */
    reload: () => writeFileSync(place, `# again\n${sdl}`),
    url: gateway.gateway.url,
    metric: async (name: string) =>
      Number(
        new RegExp(`^${name}(?:{[^}]*})? (\\d+)`, 'm').exec(
          await (await fetch(gateway.gateway.metricsUrl)).text(),
        )?.[1] ?? 'NaN',
      ),
    async stop() {
      await gateway.stop();
      await ticker.stop();
    },
  };
}

export interface Frame {
  id?: string;
  event?: string;
  data?: string;
}

/** One subscription over server-sent events. */
export async function anEventStream(url: string, body: object, headers: Record<string, string>) {
  const aborting = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    signal: aborting.signal,
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const frames = framesOf(response);
  const next = async (): Promise<Frame | null> => {
    const { value, done } = await frames.next();
    return done ? null : value;
  };
  /** the next one that has an event */
  const event = async (): Promise<Frame | null> => {
    for (;;) {
      const frame = await next();
      if (!frame || frame.event) return frame;
    }
  };
  return {
    response,
    next,
    event,
    async ticks(count: number): Promise<number[]> {
      const numbers: number[] = [];
      while (numbers.length < count) {
        const frame = await event();
        if (frame?.event !== 'next')
          throw new Error(`after ${numbers.length} ticks: ${JSON.stringify(frame)}`);
        numbers.push((JSON.parse(frame.data ?? '') as { data: { ticks: { n: number } } }).data.ticks.n);
      }
      return numbers;
    },
    leave: () => aborting.abort(),
  };
}

async function* framesOf(response: Response): AsyncGenerator<Frame> {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const entries = frame.split('\n').map((line) => [line.split(':', 1)[0], line.replace(/^\w*: ?/, '')]);
        yield Object.fromEntries(entries.filter(([name]) => name)) as Frame;
      }
    }
  } catch {
    // the connection broke: there is no more
  }
}
