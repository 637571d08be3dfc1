import { type Dispatcher, Pool } from 'undici';

/** One POST to a subgraph. */
export interface Exchange {
  path: string;
  headers: Record<string, string>;
  body: string | Buffer;
  /** for everything from the queue of the pool to the last byte of the answer */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface Reply {
  status: number;
  body: string;
}

/** Why there is no reply, as far as the caller has to tell the cases apart. */
export type ExchangeFault =
  /** no connection: nothing was sent */
  | 'unconnected'
  /** the connection broke before a status came: it may have been carried out */
  | 'broken'
  /** it broke in the middle of the answer */
  | 'truncated'
  | 'timeout'
  | 'too-large'
  | 'cancelled';

export class ExchangeError extends Error {
  constructor(
    readonly fault: ExchangeFault,
    cause?: unknown,
  ) {
    super(`no answer: ${fault}`, { cause });
  }
}

export interface ExchangeSettings {
  origin: string;
  /** of an answer */
  maxBytes: number;
  /** after which a connection is closed */
  requestsPerConnection?: number;
}

const CONNECTIONS = 256;
/** Busy connections never end by themselves; new replicas behind the same address get their share by this. */
const REQUESTS_PER_CONNECTION = 10_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** Below the 65 s of our subgraphs; where one announces its own, a second less than that. */
const KEEP_ALIVE_MS = 60_000;

/** Kept-alive HTTP/1.1 connections to one subgraph. */
export class HttpConnections {
  private readonly pool: Pool;

  constructor(private readonly settings: ExchangeSettings) {
    this.pool = new Pool(settings.origin, {
      connections: CONNECTIONS,
      maxRequestsPerClient: settings.requestsPerConnection ?? REQUESTS_PER_CONNECTION,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0, // timeoutMs covers the whole of an exchange, slow drips included
      bodyTimeout: 0,
    });
  }

  /** @throws ExchangeError */
  post(exchange: Exchange): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const handler = new ReplyHandler(this.settings.maxBytes, { resolve, reject });
      handler.watch(exchange);
      const { path, headers, body } = exchange;
      this.pool.dispatch({ path, method: 'POST', headers, body }, handler);
    });
  }

  /** Ends at once, what is in flight included. */
  async destroy(): Promise<void> {
    await this.pool.destroy();
  }
}

class ReplyHandler implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | null = null;
  private verdict: ExchangeError | null = null;
  private status = 0;
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private unwatch: () => void = () => undefined;

  constructor(
    private readonly maxBytes: number,
    private readonly settle: { resolve: (reply: Reply) => void; reject: (error: Error) => void },
  ) {}

  /** Ends the exchange when its time is over or nobody waits for it. */
  watch({ timeoutMs, signal }: Exchange): void {
    const timer = setTimeout(() => this.abort('timeout'), timeoutMs);
    if (!signal) {
      this.unwatch = () => clearTimeout(timer);
      return;
    }
    const onAbort = (): void => this.abort('cancelled');
    signal.addEventListener('abort', onAbort, { once: true });
    this.unwatch = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    if (signal.aborted) onAbort();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.verdict) controller.abort(this.verdict);
    else this.controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number): void {
    this.status = status;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.size += chunk.byteLength;
    if (this.size > this.maxBytes) this.abort('too-large');
    else this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.verdict) return;
    this.unwatch();
    const [first] = this.chunks;
    const bytes = first && this.chunks.length === 1 ? first : Buffer.concat(this.chunks, this.size);
    this.settle.resolve({ status: this.status, body: bytes.toString('utf8') });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.end(new ExchangeError(this.faultOf(error), error));
  }

  private faultOf(error: Error): ExchangeFault {
    if (this.status > 0) return 'truncated';
    const code = (error as NodeJS.ErrnoException).code ?? '';
    return UNCONNECTED.has(code) ? 'unconnected' : 'broken';
  }

  private abort(fault: ExchangeFault): void {
    const verdict = new ExchangeError(fault);
    this.end(verdict);
    this.controller?.abort(verdict);
  }

  private end(verdict: ExchangeError): void {
    if (this.verdict) return;
    this.verdict = verdict;
    this.unwatch();
    this.chunks.length = 0;
    this.settle.reject(verdict);
  }
}

const UNCONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
