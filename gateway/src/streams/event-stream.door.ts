import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError, type Identity } from '@sextant/domain';
import type { TraceSpan } from '@sextant/platform';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { answerRefusal } from '../http/answer.js';
import { refuseForgeable } from '../http/csrf.js';
import { AUDIENCES, MAX_URL_CHARACTERS, type SideDoor } from '../http/http-front.js';
import { JSON_TYPE, names } from '../http/media-type.js';
import { paramsOfBody, paramsOfUrl } from '../http/operation-params.js';
import { asRefusal, ClientGone, Refusal } from '../http/refusal.js';
import { readJsonBody } from '../http/request-body.js';
import { clientOf, contextOf, requestIdOf } from '../http/request-context.js';
import type { Audience, OperationParams } from '../pipeline/operation.js';
import { endStart, startSpan } from './start-span.js';
import { type StreamEvent, streamEvent, type Subscriber } from './stream-event.js';
import type { Subscription } from './stream-hub.js';
import { MAX_WAITING_BYTES, type StreamServing } from './stream-settings.js';
import { watchIdentity } from './token-life.js';

const COMPLETE = 'event: complete\ndata:\n\n';
/** Characters of a cursor. */
const MAX_CURSOR = 4_096;

/**
 * Operations over server-sent events, one to a request ("distinct connections mode"): whoever accepts `text/event-stream` gets each result
 * as an event `next` and at the end `complete`. Events of subscriptions have their cursor as `id`; a client that comes back with
 * `Last-Event-ID` goes on after it.
 *
 * Source: https://github.com/graphql/graphql-over-http and the protocol of graphql-sse.
 */
export function eventStreamDoor(serving: StreamServing): SideDoor {
  return {
    open(request, response, path) {
      const audience = Object.hasOwn(AUDIENCES, path) ? AUDIENCES[path] : undefined;
      if (audience === undefined || !names(request.headers.accept, 'text/event-stream')) return false;
      if (request.method !== 'GET' && request.method !== 'POST') return false;
      serve(serving, { request, response, audience }).catch((error: unknown) => {
        if (error instanceof ClientGone) return void response.destroy();
        const refusal = asRefusal(error);
        serving.onRefused(refusal.code, refusal.status === 500 ? error : undefined);
        answerRefusal(response, refusal, JSON_TYPE);
      });
      return true;
    },
  };
}

interface Opened {
  request: IncomingMessage;
  response: ServerResponse;
  audience: Audience;
}

async function serve(serving: StreamServing, { request, response, audience }: Opened): Promise<void> {
  refuseForgeable(request.headers);
  const identity = await serving.identify(request, audience);
  const params = await paramsOf(request, (characters) => serving.onBody(characters, { identity, audience }));
  const leave = serving.connections.enter(identity.tenantId);
  response.once('close', leave);
  if (response.destroyed) return leave();
  const stream = new EventStream(response, serving);
  const { extensions } = params;
  const span = startSpan(serving.tracing, { request, protocol: 'sse', extensions });
  const asked = {
    params,
    context: contextOfStream(request, identity, { serving, audience, span }),
    resumeAfter: cursorOf(request),
  };
  const begun = await endStart(span, serving.hub.subscribe(asked, stream));
  if (response.destroyed) return 'leave' in begun ? begun.leave() : undefined;
  if (!('leave' in begun)) return stream.answer(begun);
  stream.begin(begun);
  const authorization = request.headers.authorization;
  const identify = () => serving.identifyAgain(request, audience);
  const stopWatching = watchIdentity({ authorization, identify }, () => stream.answer(expired()));
  response.once('close', stopWatching);
}

async function paramsOf(
  request: IncomingMessage,
  onBody: (characters: number) => void,
): Promise<OperationParams> {
  if (request.method === 'GET') {
    const url = request.url ?? '';
    if (url.length > MAX_URL_CHARACTERS)
      throw new Refusal(
        414,
        'REQUEST_TOO_LARGE',
        `a URL may have ${MAX_URL_CHARACTERS} characters: use POST`,
      );
    return paramsOfUrl(url.slice(url.indexOf('?') + 1 || url.length));
  }
  const text = await readJsonBody(request);
  onBody(text.length);
  const body = paramsOfBody(text);
  if ('single' in body) return body.single;
  throw new Refusal(400, 'BATCHING_REFUSED', 'a stream carries one operation: send several requests');
}

function contextOfStream(
  request: IncomingMessage,
  identity: Identity,
  { serving, audience, span }: { serving: StreamServing; audience: Audience; span: TraceSpan | undefined },
) {
  const deadlineMs = Date.now() + serving.timeoutMs;
  const arrival = { requestId: requestIdOf(request), audience, client: clientOf(request), deadlineMs };
  const context = contextOf({ ...arrival, span }, identity);
  return { ...context, isReadOnly: request.method === 'GET' };
}

function cursorOf({ headers }: IncomingMessage): string | null {
  const given = headers['last-event-id'];
  return typeof given === 'string' && given !== '' ? given.slice(0, MAX_CURSOR) : null;
}

/** One response as a subscriber. */
class EventStream implements Subscriber {
  private told: string | null = null;

  constructor(
    private readonly response: ServerResponse,
    private readonly serving: StreamServing,
  ) {}

  begin(subscription: Subscription): void {
    const { metrics } = this.serving;
    metrics.opened('sse');
    this.response.once('close', () => {
      metrics.closed('sse');
      subscription.leave();
    });
    this.open();
    this.beat(subscription.cursor);
    subscription.start();
  }

  /** One result, and no more. */
  answer(result: ExecutionResult): void {
    if (this.response.writableEnded) return;
    if (!this.response.headersSent) this.open();
    this.response.write(streamEvent(result, null).frame);
    this.end('complete');
  }

  next(event: StreamEvent): void {
    this.told = event.cursor;
    this.write(event.frame);
    this.serving.metrics.told('sse');
  }

  beat(cursor: string | null): void {
    this.write(cursor === null || cursor === this.told ? ':\n\n' : `:\nid: ${cursor}\n\n`);
    this.told = cursor;
  }

  end(end: 'complete' | 'moved'): void {
    if (this.response.writableEnded) return;
    if (end === 'complete') this.response.write(COMPLETE);
    const { socket } = this.response;
    // a gateway that goes down does not wait for connections that only lie idle
    this.response.end(() => end === 'moved' && socket?.destroySoon());
  }

  private open(): void {
    this.response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'private, no-store',
      'x-accel-buffering': 'no', // proxies that collect answers would hold events back
      'x-content-type-options': 'nosniff',
    });
  }

  private write(bytes: Buffer | string): void {
    if (this.response.writableEnded || this.response.destroyed) return;
    this.response.write(bytes);
    if (this.response.writableLength <= MAX_WAITING_BYTES) return;
    this.serving.metrics.wasSlow('sse');
    this.response.destroy();
  }
}

export function expired(): ExecutionResult {
  const failure = new DomainError(
    'UNAUTHENTICATED',
    'the token is no longer valid: subscribe again with a new one',
  );
  return { errors: [new GraphQLError(failure.message, { extensions: { code: failure.code } })] };
}
