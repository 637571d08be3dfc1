import type { IncomingMessage } from 'node:http';
import { DomainError, type Identity } from '@sextant/domain';
import type { ExecutionResult } from 'graphql';
import type { WebSocket } from 'ws';
import { clientOf, contextOf, requestIdOf } from '../http/request-context.js';
import { MAX_QUERY_CHARACTERS } from '../http/operation-params.js';
import type { Audience, OperationParams } from '../pipeline/operation.js';
import { readMessage } from './socket-messages.js';
import { endStart, startSpan } from './start-span.js';
import { type StreamEnd, withoutStatus } from './stream-event.js';
import type { Subscription } from './stream-hub.js';
import { MAX_WAITING_BYTES, type StreamServing } from './stream-settings.js';
import { watchIdentity } from './token-life.js';

/** Close codes of the protocol, and of HTTP's 429 for a tenant that has too many. */
export const CLOSE = {
  badRequest: 4400,
  unauthorized: 4401,
  forbidden: 4403,
  initTimeout: 4408,
  alreadyExists: 4409,
  tooMany: 4429,
  goingDown: 1012,
  internal: 4500,
} as const;

const INIT_MS = 5_000;
/** Longest reason of a close frame, in bytes. Source: RFC 6455, 5.5. */
const MAX_REASON_BYTES = 123;

/**
 * One WebSocket that speaks `graphql-transport-ws`. The token comes with `connection_init`; when it runs out the socket closes with 4403, so that
 * clients connect again with a new one.
 *
 * Source: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 */
export class SocketSession {
  private readonly operations = new Map<string, Subscription | null>();
  private readonly initTimer: NodeJS.Timeout;
  private identity: Identity | null = null;
  private hasInit = false;
  private readonly onClose: (() => void)[] = [];
  private request: IncomingMessage;

  constructor(
    private readonly socket: WebSocket,
    private readonly opened: { request: IncomingMessage; audience: Audience },
    private readonly serving: StreamServing,
  ) {
    this.request = opened.request;
    this.initTimer = setTimeout(
      () => this.close(CLOSE.initTimeout, 'Connection initialisation timeout'),
      INIT_MS,
    );
    socket.on('message', (data, isBinary) => {
      try {
        this.hear(isBinary ? '' : String(data));
      } catch (error) {
        this.failed(error); // nobody above would catch it, and one client must not end them all
      }
    });
    socket.on('close', () => this.clear());
  }

  close(code: number, reason: string): void {
    const bytes = Buffer.alloc(MAX_REASON_BYTES);
    const { written } = new TextEncoder().encodeInto(reason, bytes); // whole characters, as many as fit
    this.socket.close(code, bytes.subarray(0, written));
  }

  private failed(error: unknown): void {
    this.serving.onRefused('INTERNAL_SERVER_ERROR', error);
    this.close(CLOSE.internal, 'Something went wrong on our side; it was logged.');
  }

  private hear(text: string): void {
    // A socket that is sent away, e.g. since its token ran out, runs nothing more, however long its client takes to close it.
    if (this.socket.readyState !== this.socket.OPEN) return;
    const message = readMessage(text);
    if (!message) return this.close(CLOSE.badRequest, 'Invalid message');
    if (message.type === 'connection_init') return void this.init(message.payload);
    if (message.type === 'ping') return this.send('{"type":"pong"}');
    if (message.type === 'subscribe') return this.subscribe(message.id, message.payload);
    if (message.type === 'complete') this.finish(message.id);
  }

  private async init(payload: Record<string, unknown>): Promise<void> {
    if (this.hasInit) return this.close(CLOSE.tooMany, 'Too many initialisation requests');
    this.hasInit = true;
    this.request = withCredentials(this.opened.request, payload);
    const { serving, request } = this;
    const { audience } = this.opened;
    const identify = () => serving.identifyAgain(request, audience);
    try {
      const identity = await serving.identify(request, audience);
      this.onClose.push(serving.connections.enter(identity.tenantId));
      const { authorization } = request.headers;
      const onExpired = () =>
        this.close(CLOSE.forbidden, 'the token is no longer valid: connect with a new one');
      this.onClose.push(watchIdentity({ authorization, identify }, onExpired));
      if (this.socket.readyState !== this.socket.OPEN) return this.clear();
      clearTimeout(this.initTimer);
      this.identity = identity;
      this.send('{"type":"connection_ack"}');
    } catch (error) {
      this.refuse(error);
    }
  }

  private refuse(error: unknown): void {
    if (!(error instanceof DomainError)) return this.failed(error);
    this.serving.onRefused(error.code);
    const isFull = error.code === 'STREAM_LIMIT_REACHED';
    this.close(isFull ? CLOSE.tooMany : CLOSE.forbidden, error.code);
  }

  private subscribe(id: string, params: OperationParams): void {
    const { identity, serving } = this;
    if (!identity) return this.close(CLOSE.unauthorized, 'Unauthorized');
    if (this.operations.has(id))
      return this.close(CLOSE.alreadyExists, `Subscriber for ${id} already exists`);
    if (this.operations.size >= serving.subscriptions)
      return this.error(id, [
        refusal(
          'STREAM_LIMIT_REACHED',
          `a WebSocket carries ${serving.subscriptions} operations: complete some`,
        ),
      ]);
    if ((params.query?.length ?? 0) > MAX_QUERY_CHARACTERS)
      return this.error(id, [
        refusal('REQUEST_TOO_LARGE', `a query may have ${MAX_QUERY_CHARACTERS} characters`),
      ]);
    this.operations.set(id, null);
    this.run(id, params, identity).catch((error: unknown) => this.failed(error));
  }

  private async run(id: string, params: OperationParams, identity: Identity): Promise<void> {
    const { serving, request } = this;
    const { extensions } = params;
    const span = startSpan(serving.tracing, { request, protocol: 'websocket', extensions });
    const arrival = {
      ...{ requestId: requestIdOf(request), audience: this.opened.audience, client: clientOf(request) },
      ...{ deadlineMs: Date.now() + serving.timeoutMs, span },
    };
    const prefix = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    const subscriber = {
      next: ({ json }: { json: string }) => {
        this.send(`${prefix}${json}}`);
        serving.metrics.told('websocket');
      },
      beat: () => undefined,
      end: (end: StreamEnd) => this.ended(id, end),
    };
    const asked = { params, context: contextOf(arrival, identity), resumeAfter: null };
    const begun = await endStart(span, serving.hub.subscribe(asked, subscriber));
    if (!this.operations.has(id)) return 'leave' in begun ? begun.leave() : undefined;
    if (!('leave' in begun)) return this.answer(id, begun);
    this.operations.set(id, begun);
    serving.metrics.opened('websocket');
    begun.start();
  }

  private answer(id: string, result: ExecutionResult): void {
    const shown = withoutStatus(result) as ExecutionResult;
    if (result.data === undefined && result.errors) return this.error(id, shown.errors ?? []);
    this.send(`{"id":${JSON.stringify(id)},"type":"next","payload":${JSON.stringify(shown)}}`);
    this.ended(id, 'complete');
  }

  private error(id: string, errors: readonly unknown[]): void {
    this.operations.delete(id);
    this.send(JSON.stringify({ id, type: 'error', payload: errors }));
  }

  private ended(id: string, end: StreamEnd): void {
    if (end === 'moved') return this.close(CLOSE.goingDown, 'this gateway goes down: connect again');
    if (this.finish(id)) this.send(JSON.stringify({ id, type: 'complete' }));
  }

  private finish(id: string): boolean {
    const subscription = this.operations.get(id);
    if (subscription) {
      this.serving.metrics.closed('websocket');
      subscription.leave();
    }
    return this.operations.delete(id);
  }

  private send(text: string): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.socket.send(text);
    if (this.socket.bufferedAmount <= MAX_WAITING_BYTES) return;
    this.serving.metrics.wasSlow('websocket');
    this.socket.terminate();
  }

  private clear(): void {
    clearTimeout(this.initTimer);
    for (const id of [...this.operations.keys()]) this.finish(id);
    for (const undo of this.onClose.splice(0)) undo();
  }
}

function refusal(code: string, message: string) {
  return { message, extensions: { code } };
}

/** The request that opened the socket, with what `connection_init` says in place of headers, which browsers cannot set. */
function withCredentials(request: IncomingMessage, payload: Record<string, unknown>): IncomingMessage {
  const given = new Map(Object.entries(payload).map(([name, value]) => [name.toLowerCase(), value]));
  const headers = { ...request.headers };
  for (const name of [
    'authorization',
    'x-api-key',
    'apollographql-client-name',
    'apollographql-client-version',
    'traceparent',
    'tracestate',
  ]) {
    const value = given.get(name);
    if (typeof value === 'string') headers[name] = value;
  }
  return Object.create(request, { headers: { value: headers } }) as IncomingMessage;
}
