import { setTimeout as wait } from 'node:timers/promises';
import { DomainError, ERROR_KINDS, type ErrorCode } from '@sextant/domain';
import { z } from 'zod';

const INGEST =
  'mutation Import($rows: [EventInput!]!) { ingestEvents(events: $rows) { accepted duplicates rejected { index id code message path } watermark } }';
const UPSERT =
  'mutation Import($rows: [ProductInput!]!) { upsertProducts(products: $rows) { upserted userErrors { code message field } } }';

const STATUS = '{ ingestionStatus { pendingBatches } }';

const RETRY_STATUS = new Set([429, 502, 503, 504]);
/** Codes of the gateway's own for a subgraph that does not answer. */
const RETRY_CODES = new Set([
  'SUBREQUEST_HTTP_ERROR',
  'DOWNSTREAM_SERVICE_ERROR',
  'GATEWAY_TIMEOUT',
  'TIMEOUT_ERROR',
  'SUBREQUEST_TIMEOUT',
]);
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

const ingestResult = z.object({
  accepted: z.number(),
  duplicates: z.number(),
  rejected: z.array(
    z.object({
      index: z.number(),
      id: z.string(),
      code: z.string(),
      message: z.string(),
      path: z.string().nullish(),
    }),
  ),
  watermark: z.string().nullish(),
});
const statusResult = z.object({ pendingBatches: z.number() });
const upsertResult = z.object({
  upserted: z.number(),
  userErrors: z.array(
    z.object({
      code: z.string(),
      message: z.string(),
      field: z.union([z.string(), z.array(z.string())]).nullish(),
    }),
  ),
});
const response = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).nullish() }))
    .optional(),
});

export type IngestResult = z.output<typeof ingestResult>;
export type UpsertResult = z.output<typeof upsertResult>;

type Outcome = { data: Record<string, unknown> } | { retry: string; waitMs: number };

export interface GraphClientOptions {
  url: string;
  /** The bearer token for the next request. */
  token: () => Promise<string>;
  /** How long to go on trying while the gateway is unavailable. */
  patienceMs?: number;
  /** Limit of a single attempt. */
  attemptTimeoutMs?: number;
  /** Told of each attempt that failed and will be made again. */
  onRetry?: (reason: string) => void;
}

/** Talks to the gateway. Rows, already JSON, may be sent again: writing them is idempotent there. */
export class GraphClient {
  constructor(private readonly options: GraphClientOptions) {}

  async ingestEvents(rows: readonly string[]): Promise<IngestResult> {
    return ingestResult.parse(await this.send(withRows(INGEST, rows), 'ingestEvents'));
  }

  async upsertProducts(rows: readonly string[]): Promise<UpsertResult> {
    return upsertResult.parse(await this.send(withRows(UPSERT, rows), 'upsertProducts'));
  }

  /** Batches that are stored, and whose customers are not computed anew yet. */
  async pendingBatches(): Promise<number> {
    const status = await this.send(JSON.stringify({ query: STATUS }), 'ingestionStatus');
    return statusResult.parse(status).pendingBatches;
  }

  /** Asks; again and again while the gateway is unavailable. @returns the data of the answer */
  async query(query: string, variables: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return this.dataOf(JSON.stringify({ query, variables }));
  }

  /** Changes something, once: of a change whose answer is lost nobody knows whether it was made. @returns the data of the answer */
  async mutate(mutation: string, variables: Record<string, unknown>): Promise<Record<string, unknown>> {
    const outcome = await this.attempt(JSON.stringify({ query: mutation, variables }));
    if ('data' in outcome) return outcome.data;
    throw new DomainError(
      'GATEWAY_UNAVAILABLE',
      `${this.options.url} did not answer (${outcome.retry}): look whether it was done before you do it again`,
    );
  }

  private async send(body: string, field: string): Promise<unknown> {
    const value = (await this.dataOf(body))[field];
    if (value === undefined || value === null)
      throw new DomainError('GATEWAY_REFUSED', `the gateway's answer has no ${field}`);
    return value;
  }

  /** @throws DomainError with the graph's code; GATEWAY_UNAVAILABLE when patience ran out; GATEWAY_REFUSED for a code we do not know */
  private async dataOf(body: string): Promise<Record<string, unknown>> {
    const giveUpAt = Date.now() + (this.options.patienceMs ?? 120_000);
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.attempt(body);
      if ('data' in outcome) return outcome.data;
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * (0.75 + 0.5 * Math.random());
      const pauseMs = Math.max(pause, outcome.waitMs);
      if (Date.now() + pauseMs > giveUpAt) {
        throw new DomainError(
          'GATEWAY_UNAVAILABLE',
          `${this.options.url} does not answer after ${attempt + 1} attempts (${outcome.retry}): start it, then do this again`,
        );
      }
      this.options.onRetry?.(outcome.retry);
      await wait(pauseMs);
    }
  }

  private async attempt(body: string): Promise<Outcome> {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${await this.options.token()}`,
    };
    const signal = AbortSignal.timeout(this.options.attemptTimeoutMs ?? 60_000);
    let status: number;
    let text: string;
    let waitMs: number;
    try {
      const reply = await fetch(this.options.url, { method: 'POST', headers, body, signal });
      waitMs = 1000 * (Number(reply.headers.get('retry-after')) || 0);
      status = reply.status;
      text = await reply.text();
    } catch (error) {
      return { retry: describe(error), waitMs: 0 };
    }
    return interpret({ status, text, waitMs });
  }
}

/** The body of a mutation whose rows are JSON already. */
function withRows(mutation: string, rows: readonly string[]): string {
  return `{"query":${JSON.stringify(mutation)},"variables":{"rows":[${rows.join(',')}]}}`;
}

/** The data, a reason to try again, or an error that no repetition will cure. */
function interpret({ status, text, waitMs }: { status: number; text: string; waitMs: number }): Outcome {
  if (status === 413)
    throw new DomainError('BATCH_TOO_LARGE', 'the gateway takes no body of this size: lower --batch');
  const parsed = response.safeParse(parseJson(text));
  if (RETRY_STATUS.has(status) && !parsed.data?.errors) return { retry: `HTTP ${status}`, waitMs };
  if (!parsed.success) {
    throw new DomainError(
      'GATEWAY_REFUSED',
      `the gateway answered HTTP ${status} without a GraphQL result: is the URL right?`,
    );
  }
  const [error] = parsed.data.errors ?? [];
  if (!error) {
    return { data: parsed.data.data ?? {} };
  }
  const code = error.extensions?.code ?? '';
  if (isTemporary(code) || RETRY_STATUS.has(status)) return { retry: code || `HTTP ${status}`, waitMs };
  const own: ErrorCode =
    code in ERROR_KINDS ? (code as ErrorCode) : status === 401 ? 'UNAUTHENTICATED' : 'GATEWAY_REFUSED';
  throw new DomainError(own, code === '' || code === own ? error.message : `${code}: ${error.message}`);
}

function isTemporary(code: string): boolean {
  if (RETRY_CODES.has(code)) return true;
  const kind = code in ERROR_KINDS ? ERROR_KINDS[code as ErrorCode] : null;
  return kind === 'unavailable' || kind === 'deadline-exceeded' || kind === 'resource-exhausted';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function describe(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : null;
  const code: unknown = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : null;
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.message : String(error);
}
