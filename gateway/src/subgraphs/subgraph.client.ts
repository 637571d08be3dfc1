import { DomainError, type Identity } from '@sextant/domain';
import { DEADLINE_HEADER, type Logger, signRequest } from '@sextant/platform';
import type { SubgraphAnswer, SubgraphFetch } from '../engine/engine.js';
import { type JsonParts, jsonPartsOf } from '../pipeline/json-text.js';
import { BREAKER_POLICY, CircuitBreaker, type Pass } from './circuit-breaker.js';
import { ExchangeError, HttpConnections, type Reply } from './http-exchange.js';
import { InFlight } from './in-flight.js';
import { MOST_ATTEMPTS, pauseBeforeRetryMs, RetryBudget } from './retry-budget.js';
import {
  asGraphQLError,
  circuitOpen,
  failureOf,
  isGoingDown,
  readAnswer,
  tooLate,
} from './subgraph-answer.js';
import { identityFor, type SubgraphEndpoint } from './subgraph-endpoints.js';
import type { SubgraphMetrics } from './subgraph-metrics.js';

export interface SubgraphClientOptions {
  /** longest a fetch may take, retries included */
  timeoutMs: number;
  /** of an answer */
  maxAnswerBytes: number;
  /** retries earned by each call, in [0, 1]; 0: none */
  retryRatio: number;
  /** counts mutations that ended, of all subgraphs: a query that begins after one never joins a query that began before it */
  writes: { count: number };
  logger: Logger;
  metrics: SubgraphMetrics;
}

/** Requests of more characters are not compared with those in flight. */
const LONGEST_JOINED = 65_536;
/** With less than this left, a fetch could only waste the subgraph's time. */
const LEAST_MS = 2;

/**
 * One subgraph: its connections, when it is left alone, and what is tried again. Equal queries of the same identity that are in
 * flight at the same time are sent once.
 */
export class SubgraphClient {
  private readonly connections: HttpConnections;
  private readonly breaker: CircuitBreaker;
  private readonly retries: RetryBudget;
  private readonly inFlight = new InFlight<Answered>();

  constructor(
    private readonly subgraph: string,
    private readonly endpoint: SubgraphEndpoint,
    private readonly options: SubgraphClientOptions,
  ) {
    const { metrics, logger, maxAnswerBytes, retryRatio } = options;
    this.connections = new HttpConnections({ origin: endpoint.url.origin, maxBytes: maxAnswerBytes });
    this.retries = new RetryBudget(retryRatio);
    metrics.breakerIs(subgraph, 'closed');
    this.breaker = new CircuitBreaker({
      policy: BREAKER_POLICY,
      now: () => performance.now(),
      onChange: (state) => {
        metrics.breakerIs(subgraph, state);
        logger.warn({ subgraph, state }, 'circuit breaker of a subgraph');
      },
    });
  }

  /** Never rejects: whatever fails is an error of the answer. */
  async execute(fetch: SubgraphFetch): Promise<SubgraphAnswer> {
    const { metrics, logger } = this.options;
    const { context } = fetch;
    const endTimer = metrics.begin(this.subgraph);
    const span = context.span?.child(`subgraph ${this.subgraph}`, { kind: 'client' });
    try {
      const answer = await this.guarded({ ...fetch, context: { ...context, ...(span && { span }) } });
      endTimer(answer.errors ? 'errors' : 'ok');
      return answer;
    } catch (error) {
      const failure = failureOf(error, this.subgraph);
      endTimer(failure.code);
      span?.fail(failure.code);
      if (failure.code !== 'REQUEST_CANCELLED' && failure.code !== 'SUBGRAPH_CIRCUIT_OPEN')
        logger.warn({ subgraph: this.subgraph, err: failure.cause ?? failure }, failure.message);
      return { errors: [asGraphQLError(failure)] };
    } finally {
      span?.end();
    }
  }

  async close(): Promise<void> {
    await this.connections.destroy();
  }

  private async guarded(fetch: SubgraphFetch): Promise<SubgraphAnswer> {
    const { context, operationType } = fetch;
    const latestMs = Math.min(context.deadlineMs, Date.now() + this.options.timeoutMs);
    if (latestMs - Date.now() < LEAST_MS) throw tooLate(this.subgraph);
    if (operationType !== 'query') return this.write(fetch, bytesOf(fetch), latestMs);
    const body = bodyOf(fetch);
    if (body.length > LONGEST_JOINED) {
      return (
        await this.exchange({ fetch, body: Buffer.from(body), latestMs, signal: context.signal })
      ).take();
    }
    const key = `${this.options.writes.count} ${keyOf(context.identity)} ${body}`;
    const waiting = { latestMs, signal: context.signal };
    const { value, isJoined } = await this.inFlight.run(key, waiting, (signal) =>
      this.exchange({ fetch, body: Buffer.from(body), latestMs, signal }),
    );
    if (isJoined) {
      context.ledger.joined += 1;
      this.options.metrics.wasJoined(this.subgraph);
    }
    return value.take();
  }

  /** Goes on when its client leaves: what depends on its end, caches above all, must not be told too early. */
  private async write(fetch: SubgraphFetch, body: Buffer, latestMs: number): Promise<SubgraphAnswer> {
    try {
      return (await this.exchange({ fetch, body, latestMs, signal: undefined })).take();
    } finally {
      this.options.writes.count += 1;
    }
  }

  private async exchange(sending: Sending): Promise<Answered> {
    const { fetch, latestMs } = sending;
    const pass = this.breaker.enter();
    if (typeof pass === 'number') throw circuitOpen(this.subgraph, pass);
    fetch.context.ledger.fetches += 1;
    this.retries.earn();
    try {
      const answered = new Answered(await this.attempts(sending), this.subgraph);
      pass.succeed();
      return answered;
    } catch (error) {
      this.report(pass, error, latestMs === fetch.context.deadlineMs);
      throw error;
    }
  }

  /** A client that leaves, or that allows too little time, says nothing about the subgraph. */
  private report(pass: Pass, error: unknown, isClientsDeadline: boolean): void {
    const fault = error instanceof ExchangeError ? error.fault : null;
    if (fault === 'cancelled' || (fault === 'timeout' && isClientsDeadline)) pass.forget();
    else pass.fail();
  }

  private async attempts(sending: Sending): Promise<Reply> {
    const { fetch, latestMs, signal } = sending;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.post(sending).catch((error: ExchangeError) => error);
      const isFailed = outcome instanceof ExchangeError;
      if (!isFailed && !isGoingDown(outcome.status)) return outcome;
      const pauseMs = pauseBeforeRetryMs(attempt, Math.random());
      const mayRepeat =
        attempt < MOST_ATTEMPTS &&
        isRepeatable(outcome, fetch.operationType) &&
        Date.now() + pauseMs + LEAST_MS < latestMs &&
        !signal?.aborted &&
        this.retries.spend();
      if (mayRepeat) {
        this.options.metrics.retried(this.subgraph);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      } else if (isFailed) throw outcome;
      else return outcome;
    }
  }

  private post({ fetch, body, latestMs, signal }: Sending): Promise<Reply> {
    const { url, secret } = this.endpoint;
    const { requestId, span } = fetch.context;
    const identity = identityFor(this.endpoint, fetch.context.identity);
    const nowMs = Date.now();
    return this.connections.post({
      path: url.pathname + url.search,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'x-request-id': requestId,
        [DEADLINE_HEADER]: String(latestMs),
        ...(span && { traceparent: span.traceparent }),
        ...(span?.tracestate && { tracestate: span.tracestate }),
        ...(secret !== null &&
          signRequest({ receiver: this.subgraph, method: 'POST', path: url.pathname, body }, identity, {
            secret,
            nowMs,
          })),
      },
      body,
      timeoutMs: latestMs - nowMs,
      signal,
    });
  }
}

/** One fetch on its way. */
interface Sending {
  fetch: SubgraphFetch;
  /** encoded once for its hash, the socket and what is tried again */
  body: Buffer;
  latestMs: number;
  signal: AbortSignal | undefined;
}

/** An answer that several may take. The engine changes what it takes, so each gets one of its own. */
class Answered {
  private first: SubgraphAnswer | null;

  /** @throws DomainError when it is no answer */
  constructor(
    private readonly reply: Reply,
    private readonly subgraph: string,
  ) {
    this.first = readAnswer(reply, subgraph);
  }

  take(): SubgraphAnswer {
    const answer = this.first ?? readAnswer(this.reply, this.subgraph);
    this.first = null;
    return answer;
  }
}

/** All that a subgraph is told about who asks; written once for each identity. */
function keyOf(identity: Identity): string {
  const known = IDENTITY_KEYS.get(identity);
  if (known !== undefined) return known;
  const key = JSON.stringify(identity);
  IDENTITY_KEYS.set(identity, key);
  return key;
}
const IDENTITY_KEYS = new WeakMap<Identity, string>();

/** Queries may run twice; anything else only when nothing was sent. */
function isRepeatable(
  outcome: ExchangeError | Reply,
  operationType: SubgraphFetch['operationType'],
): boolean {
  if (!(outcome instanceof ExchangeError)) return operationType === 'query';
  if (outcome.fault === 'unconnected') return true;
  return outcome.fault === 'broken' && operationType === 'query';
}

export function bodyOf(fetch: SubgraphFetch): string {
  const { variables, variablesJson } = fetch;
  const json = variablesJson ?? (variables && JSON.stringify(variables));
  return partsOf(fetch, json ? [json] : []).join('');
}

/** The same in UTF-8, for variables that may be large. */
function bytesOf(fetch: SubgraphFetch): Buffer {
  const { variables, variablesJson } = fetch;
  const parts = partsOf(fetch, variablesJson ? [variablesJson] : variables ? jsonPartsOf(variables) : []);
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

function partsOf({ queryJson, operationName }: SubgraphFetch, variables: JsonParts): JsonParts {
  const withVariables = variables.length > 0 ? [',"variables":', ...variables] : [];
  const withName = operationName ? `,"operationName":${JSON.stringify(operationName)}` : '';
  return [`{"query":${queryJson}`, ...withVariables, `${withName}}`];
}

/** @throws DomainError for a subgraph of which no address is known */
export function unknownSubgraph(subgraph: string): DomainError {
  return new DomainError('CONFIG_INVALID', `no URL is configured for the subgraph ${subgraph}`);
}
