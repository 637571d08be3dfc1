import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { DomainError, type Identity } from '@sextant/domain';
import { type Logger, signRequest, type TraceSpan } from '@sextant/platform';
import { type DocumentNode, GraphQLError, print } from 'graphql';

/** What the front puts into each request's context. */
export interface GatewayContext {
  identity: Identity;
  requestId: string;
  /** of the request; absent where neither it nor its client is traced */
  span?: TraceSpan;
}

/** The part of an execution request that a transport reads. */
export interface SubgraphRequest {
  document: DocumentNode;
  variables?: Record<string, unknown>;
  operationName?: string;
  operationType?: string;
  context?: unknown;
}

interface SubgraphResult<Data = unknown> {
  data?: Data | null;
  errors?: GraphQLError[];
}

/** An executor in the sense of graphql-tools. */
export type SubgraphExecutor = <Data>(request: SubgraphRequest) => Promise<SubgraphResult<Data>>;

interface Reply {
  status: number;
  body: string;
}

/**
 * Sends fetches of the plan to the subgraphs: each signed over its final body for the identity of its own request, each
 * with a deadline. Nothing is shared between requests: no batching, no joining of equal fetches in flight.
 */
export class SubgraphTransport {
  private readonly printed = new WeakMap<DocumentNode, string>();
  private readonly agents = { http: new HttpAgent(AGENT), https: new HttpsAgent(AGENT) };

  /** @param options.endpoints  URL by name of the subgraph */
  constructor(
    private readonly options: {
      endpoints: Readonly<Record<string, string>>;
      secret: string;
      timeoutMs: number;
      logger: Logger;
    },
  ) {}

  /** Failures of transport are errors of the result, never rejections. */
  executorOf(subgraph: string): SubgraphExecutor {
    const endpoint = this.options.endpoints[subgraph];
    if (!endpoint)
      throw new DomainError('CONFIG_INVALID', `no URL is configured for the subgraph ${subgraph}`);
    const url = new URL(endpoint);
    return async <Data>(request: SubgraphRequest) => {
      try {
        return readReply<Data>(await this.send(subgraph, url, request), subgraph);
      } catch (error) {
        const failure = error instanceof DomainError ? error : unavailable(subgraph, error);
        this.options.logger.warn({ subgraph, err: failure.cause ?? failure }, failure.message);
        return {
          errors: [
            new GraphQLError(failure.message, { extensions: { code: failure.code }, originalError: failure }),
          ],
        };
      }
    };
  }

  close(): void {
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  private async send(subgraph: string, url: URL, request: SubgraphRequest): Promise<Reply> {
    const body = Buffer.from(
      JSON.stringify({
        query: this.print(request.document),
        variables: request.variables,
        operationName: request.operationName,
      }),
    );
    const context = request.context as GatewayContext;
    const span = context.span?.child(`subgraph ${subgraph}`, { kind: 'client' });
    const post = () => this.post(url, body, { ...context, ...(span && { span }) });
    try {
      return await post();
    } catch (error) {
      // A kept-alive connection that the subgraph closed at the same moment; nothing was done, and a query may be repeated.
      if (request.operationType !== 'query' || (error as NodeJS.ErrnoException).code !== 'ECONNRESET')
        throw error;
      return await post();
    } finally {
      span?.end();
    }
  }

  private post(url: URL, body: Buffer, { identity, requestId, span }: GatewayContext): Promise<Reply> {
    const signing = { secret: this.options.secret, nowMs: Date.now() };
    const headers = {
      'content-type': 'application/json',
      'content-length': body.byteLength,
      accept: 'application/json',
      'x-request-id': requestId,
      ...(span && { traceparent: span.traceparent }),
      ...(span?.tracestate && { tracestate: span.tracestate }),
      ...signRequest({ method: 'POST', path: url.pathname, body }, identity, signing),
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

  private print(document: DocumentNode): string {
    const known = this.printed.get(document);
    if (known !== undefined) return known;
    const text = print(document);
    this.printed.set(document, text);
    return text;
  }
}

const AGENT = { keepAlive: true, maxSockets: 256, maxFreeSockets: 64, scheduling: 'lifo' } as const;

function readReply<Data>({ status, body }: Reply, subgraph: string): SubgraphResult<Data> {
  const parsed = parseJson(body);
  if (status === 401 || !parsed || !('data' in parsed || Array.isArray(parsed['errors']))) {
    throw unavailable(
      subgraph,
      new Error(`status ${status} with ${body.length} characters: ${body.slice(0, 200)}`),
    );
  }
  const { data, errors } = parsed as {
    data?: Data | null;
    errors?: { message?: unknown; path?: (string | number)[]; extensions?: Record<string, unknown> }[];
  };
  if (!errors) return { data };
  const readable = errors.map(({ message, path, extensions }) => {
    const code = extensions?.['code'];
    const shown = code === 'GRAPHQL_VALIDATION_FAILED' ? { code: 'SUBGRAPH_UNAVAILABLE' } : extensions;
    return new GraphQLError(String(message), { ...(path && { path }), ...(shown && { extensions: shown }) });
  });
  return { data, errors: readable };
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
