/** Subscribers in a process of their own: as many as are asked for, over both protocols, back after each lost connection. */
import { Agent, request } from 'node:http';

/** What the test orders. */
export interface Order {
  url: string;
  query: string;
  /** tokens by tenant */
  tokens: Record<string, string>;
  /** subscribers of each tenant and protocol */
  each: number;
}

/** What one subscriber has seen. */
export interface Seen {
  tenant: string;
  protocol: 'sse' | 'ws';
  /** numbers of the events in the order in which they came */
  numbers: number[];
  /** events of somebody else, errors, and refusals */
  wrong: string[];
  reconnects: number;
}

interface Event {
  data?: { customerDecisions: { cursor: string; decision: { output: { tenant: string; n: number } } } };
  errors?: unknown;
}

const agent = new Agent({ keepAlive: false, maxSockets: Infinity });
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
let order: Order;

abstract class Client {
  readonly seen: Seen;
  protected cursor: string | null = null;
  private retryMs = FIRST_RETRY_MS;
  private standing: (() => void) | null = null;
  readonly stands = new Promise<void>((resolve) => (this.standing = resolve));

  constructor(tenant: string, protocol: 'sse' | 'ws') {
    this.seen = { tenant, protocol, numbers: [], wrong: [], reconnects: 0 };
    this.connect();
  }

  /** Cuts the connection as a network would. */
  abstract drop(): void;
  protected abstract connect(): void;

  protected stood(): void {
    this.retryMs = FIRST_RETRY_MS;
    this.standing?.();
  }

  protected hear(event: Event): void {
    const told = event.data?.customerDecisions;
    if (!told || event.errors) return void this.seen.wrong.push(JSON.stringify(event).slice(0, 300));
    const { tenant, n } = told.decision.output;
    if (tenant !== this.seen.tenant) this.seen.wrong.push(`of ${tenant}`);
    this.seen.numbers.push(n);
    this.cursor = told.cursor;
  }

  protected lost(): void {
    this.seen.reconnects += 1;
    setTimeout(() => this.connect(), this.retryMs * (0.5 + Math.random()));
    this.retryMs = Math.min(LONGEST_RETRY_MS, 2 * this.retryMs);
  }
}

class SseClient extends Client {
  private cut: () => void = () => undefined;

  drop(): void {
    this.cut();
  }

  protected connect(): void {
    let isLost = false;
    const again = (): void => {
      if (!isLost) this.lost();
      isLost = true;
    };
    const headers = {
      ...{ accept: 'text/event-stream', 'content-type': 'application/json' },
      authorization: `Bearer ${order.tokens[this.seen.tenant]}`,
      ...(this.cursor !== null && { 'last-event-id': this.cursor }),
    };
    const sent = request(order.url, { method: 'POST', agent, headers }, (response) => {
      if (response.headers['content-type']?.startsWith('text/event-stream')) this.stood();
      else this.seen.wrong.push(`status ${response.statusCode}`);
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        const frames = (text + chunk).split('\n\n');
        text = frames.pop() ?? '';
        for (const frame of frames) this.read(frame);
      });
      response.on('error', again);
      response.on('close', again);
    });
    this.cut = () => sent.destroy();
    sent.on('error', again);
    sent.end(JSON.stringify({ query: order.query }));
  }

  private read(frame: string): void {
    const field = (name: string): string | undefined => new RegExp(`^${name}: ?(.*)$`, 'm').exec(frame)?.[1];
    const id = field('id');
    if (field('event') === 'next') this.hear(JSON.parse(field('data') ?? '{}') as Event);
    if (id) this.cursor = id;
  }
}

class SocketClient extends Client {
  private socket: WebSocket | null = null;

  drop(): void {
    this.socket?.close();
  }

  protected connect(): void {
    const socket = new WebSocket(order.url.replace('http', 'ws'), 'graphql-transport-ws');
    this.socket = socket;
    const authorization = `Bearer ${order.tokens[this.seen.tenant]}`;
    socket.onopen = () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as { type: string; payload?: unknown };
      if (message.type === 'connection_ack') this.subscribe(socket);
      else if (message.type === 'pong') this.stood();
      else if (message.type === 'next') this.hear(message.payload as Event);
      else this.seen.wrong.push(String(data).slice(0, 300));
    };
    socket.onclose = () => this.lost();
    socket.onerror = () => undefined;
  }

  private subscribe(socket: WebSocket): void {
    const payload = { query: order.query, variables: { after: this.cursor } };
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
    socket.send(JSON.stringify({ type: 'ping' }));
  }
}

const clients: Client[] = [];

process.on('message', (message: { do: string; order?: Order; share?: number; until?: number }) => {
  if (message.do === 'open' && message.order) void open(message.order);
  if (message.do === 'drop')
    clients.filter((_, i) => i % (message.share ?? 1) === 0).forEach((c) => c.drop());
  if (message.do === 'count') process.send?.({ counts: clients.map(({ seen }) => seen.numbers.length) });
  if (message.do === 'report') process.send?.({ seen: clients.map(({ seen }) => seen) });
});

async function open(given: Order): Promise<void> {
  order = given;
  for (const tenant of Object.keys(order.tokens)) {
    for (let i = 0; i < order.each; i++)
      clients.push(new SseClient(tenant, 'sse'), new SocketClient(tenant, 'ws'));
    await Promise.all(clients.map(({ stands }) => stands));
  }
  process.send?.({ ready: clients.length });
}
