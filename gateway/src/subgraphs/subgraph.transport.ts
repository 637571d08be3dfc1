import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { DomainError } from '@sextant/domain';
import { type Logger, signRequest } from '@sextant/platform';
import { GraphQLError } from 'graphql';
import type { SubgraphAnswer, SubgraphFetch, SubgraphTransport } from '../engine/engine.js';
import type { GatewayContext } from '../pipeline/operation.js';
import { identityFor, type SubgraphEndpoint } from './subgraph-endpoints.js';

interface Reply {
  status: number;
  body: string;
}

/**
 * Sends fetches of the plan to the subgraphs: each signed over its final body for the identity of its own request, each
 * with a deadline. Nothing is shared between requests: no batching, no joining of equal fetches in flight.
 */
export class HttpSubgraphTransport implements SubgraphTransport {
  private readonly agents = { http: new HttpAgent(AGENT), https: new HttpsAgent(AGENT) };

  /** @param options.endpoints  by name of the subgraph */
  constructor(
    private readonly options: {
      endpoints: ReadonlyMap<string, SubgraphEndpoint>;
      timeoutMs: number;
      logger: Logger;
    },
  ) {}

  async execute(subgraph: string, fetch: SubgraphFetch): Promise<SubgraphAnswer> {
    try {
      return readReply(await this.send(subgraph, fetch), subgraph);
    } catch (error) {
      const failure = error instanceof DomainError ? error : unavailable(subgraph, error);
      this.options.logger.warn({ subgraph, err: failure.cause ?? failure }, failure.message);
      return { errors: [asGraphQLError(failure)] };
    }
  }

  async *subscribe(subgraph: string): AsyncIterable<SubgraphAnswer> {
    yield { errors: [asGraphQLError(unavailable(subgraph, new Error('no stream is served')))] };
  }

  close(): void {
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  private async send(subgraph: string, fetch: SubgraphFetch): Promise<Reply> {
    const endpoint = this.options.endpoints.get(subgraph);
    if (!endpoint)
      throw new DomainError('CONFIG_INVALID', `no URL is configured for the subgraph ${subgraph}`);
    const { context } = fetch;
    const body = Buffer.from(bodyOf(fetch));
    context.ledger.fetches += 1;
    const span = context.span?.child(`subgraph ${subgraph}`, { kind: 'client' });
    const post = () => this.post(endpoint, body, { ...context, ...(span && { span }) });
    try {
      return await post();
    } catch (error) {
      // A kept-alive connection that the subgraph closed at the same moment; nothing was done, and a query may be repeated.
      if (fetch.operationType !== 'query' || (error as NodeJS.ErrnoException).code !== 'ECONNRESET')
        throw error;
      return await post();
    } finally {
      span?.end();
    }
  }

  private post(endpoint: SubgraphEndpoint, body: Buffer, context: GatewayContext): Promise<Reply> {
    const { url, secret } = endpoint;
    const { requestId, span } = context;
    const identity = identityFor(endpoint, context.identity);
    const headers = {
      'content-type': 'application/json',
      'content-length': body.byteLength,
      accept: 'application/json',
      'x-request-id': requestId,
      ...(span && { traceparent: span.traceparent }),
      ...(span?.tracestate && { tracestate: span.tracestate }),
      ...(secret !== null &&
        signRequest({ method: 'POST', path: url.pathname, body }, identity, { secret, nowMs: Date.now() })),
    };
    const isTls = url.protocol === 'https:';
    const options: RequestOptions = {
      method: 'POST',
      agent: isTls ? this.agents.https : this.agents.http,
      headers,
    };
    return new Promise((resolve, reject) => {
      const outgoing = (isTls ? httpsRequest : httpRequest)(url, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      const timer = setTimeout(() => outgoing.destroy(new UpstreamTimeout()), this.options.timeoutMs);
      outgoing.on('close', () => clearTimeout(timer));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

const AGENT = { keepAlive: true, maxSockets: 256, maxFreeSockets: 64, scheduling: 'lifo' } as const;

function bodyOf({ queryJson, variables, operationName }: SubgraphFetch): string {
  const rest = [
    ...(variables ? [`,"variables":${JSON.stringify(variables)}`] : []),
    ...(operationName ? [`,"operationName":${JSON.stringify(operationName)}`] : []),
  ];
  return `{"query":${queryJson}${rest.join('')}}`;
}

function asGraphQLError(failure: DomainError): GraphQLError {
  return new GraphQLError(failure.message, { extensions: { code: failure.code }, originalError: failure });
}

function readReply({ status, body }: Reply, subgraph: string): SubgraphAnswer {
  const parsed = parseJson(body);
  if (status === 401 || !parsed || !('data' in parsed || Array.isArray(parsed['errors']))) {
    throw unavailable(
      subgraph,
      new Error(`status ${status} with ${body.length} characters: ${body.slice(0, 200)}`),
    );
  }
  const { data, errors } = parsed as {
    data?: Record<string, unknown> | null;
    errors?: { message?: unknown; path?: (string | number)[]; extensions?: Record<string, unknown> }[];
  };
  if (!errors) return { data: data ?? null };
  const readable = errors.map(({ message, path, extensions }) => {
    const code = extensions?.['code'];
    const shown = code === 'GRAPHQL_VALIDATION_FAILED' ? { code: 'SUBGRAPH_UNAVAILABLE' } : extensions;
    return new GraphQLError(String(message), { ...(path && { path }), ...(shown && { extensions: shown }) });
  });
  return { data: data ?? null, errors: readable };
}

function parseJson(body: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function unavailable(subgraph: string, cause: unknown): DomainError {
  if (cause instanceof UpstreamTimeout) {
    return new DomainError(
      'SUBGRAPH_DEADLINE_EXCEEDED',
      `the ${subgraph} part of the graph did not answer in time; try again`,
      { cause },
    );
  }
  return new DomainError(
    'SUBGRAPH_UNAVAILABLE',
    `the ${subgraph} part of the graph cannot be reached; try again in a moment`,
    { cause },
  );
}

class UpstreamTimeout extends Error {
  constructor() {
    super('no complete answer within SEXTANT_UPSTREAM_TIMEOUT_MS');
  }
}
