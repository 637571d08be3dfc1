import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { grpcFrame } from './infer-wire.js';

/** gRPC statuses by name. */
export const STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

/** How gRPC reads a stream that the server reset. */
const STATUS_OF_RESET: Readonly<Record<number, number>> = {
  [constants.NGHTTP2_REFUSED_STREAM]: STATUS.UNAVAILABLE,
  [constants.NGHTTP2_ENHANCE_YOUR_CALM]: STATUS.RESOURCE_EXHAUSTED,
};

export const INFER = '/inference.GRPCInferenceService/ModelInfer';
export const LIVE = '/inference.GRPCInferenceService/ServerLive';
export const HEALTH = '/grpc.health.v1.Health/Check';

export interface Answer {
  /** gRPC status; -1 when the connection ended without one */
  status: number;
  message: string;
  /** the message of an answer that is OK */
  body: Buffer | null;
  /** from the call to the last byte, milliseconds */
  tookMs: number;
  trailers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface CallSettings {
  /** sent as grpc-timeout; without one the call brings no deadline */
  deadlineMs?: number;
  headers?: Record<string, string>;
  /** receives a function that resets the stream */
  onCancel?: (cancel: () => void) => void;
}

/**
 * A gRPC client as thin as HTTP/2 allows (about half the CPU of grpc-js), so that what is measured is the server; it keeps
 * deadlines, and neither retries nor checks anything. A connection that the server closes is replaced by the next call.
 */
export class GrpcCaller {
  private readonly sessions: (ClientHttp2Session | undefined)[];
  private next = 0;

  constructor(
    private readonly address: string,
    connections = 1,
  ) {
    this.sessions = new Array<ClientHttp2Session | undefined>(connections);
  }

  call(path: string, message: Uint8Array, settings: CallSettings = {}): Promise<Answer> {
    return this.send(path, grpcFrame(message), settings);
  }

  /** @param frame  the body as it goes on the wire, length prefix included */
  send(
    path: string,
    frame: Uint8Array,
    { deadlineMs, headers, onCancel }: CallSettings = {},
  ): Promise<Answer> {
    const startedAt = performance.now();
    const stream = this.session().request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(deadlineMs === undefined ? {} : { 'grpc-timeout': `${Math.round(deadlineMs * 1000)}u` }),
      ...headers,
    });
    onCancel?.(() => stream.close(constants.NGHTTP2_CANCEL));
    const answer = answerOf(stream, startedAt);
    stream.end(frame);
    if (deadlineMs !== undefined) giveUpAfter(stream, deadlineMs);
    return answer;
  }

  close(): void {
    for (const session of this.sessions) session?.destroy();
  }

  private session(): ClientHttp2Session {
    const slot = this.next++ % this.sessions.length;
    const known = this.sessions[slot];
    if (known && !known.closed && !known.destroyed) return known;
    const session = connect(`http://${this.address}`, { maxSessionMemory: 1_000 });
    session.setMaxListeners(0);
    // Every stream of the connection hears of its end as well, and answers.
    session.on('error', () => undefined);
    session.on('goaway', () => this.forget(slot, session));
    session.on('close', () => this.forget(slot, session));
    this.sessions[slot] = session;
    return session;
  }

  private forget(slot: number, session: ClientHttp2Session): void {
    if (this.sessions[slot] === session) this.sessions[slot] = undefined;
  }
}

/** As every gRPC client does: when the time is over it resets the stream, whatever the server does. */
function giveUpAfter(stream: ClientHttp2Stream, deadlineMs: number): void {
  const timer = setTimeout(() => {
    stream.emit('deadline');
    stream.close(constants.NGHTTP2_CANCEL);
  }, deadlineMs);
  stream.once('close', () => clearTimeout(timer));
}

/** Reads one answer off a stream; never rejects. */
export function answerOf(stream: ClientHttp2Stream, startedAt = performance.now()): Promise<Answer> {
  return new Promise((resolve) => {
    let trailers: Answer['trailers'] = {};
    let failure = '';
    const chunks: Buffer[] = [];
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) trailers = headers as Answer['trailers'];
      else if (headers[':status'] !== 200) failure = `HTTP ${headers[':status']}`;
    });
    stream.on('trailers', (headers) => (trailers = headers as Answer['trailers']));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    // The answer is complete; a request that is not ends here.
    stream.on('end', () => stream.close());
    stream.on('error', (error) => (failure ||= error.message));
    stream.on('deadline', () => (trailers = { 'grpc-status': String(STATUS.DEADLINE_EXCEEDED) }));
    stream.on('close', () => {
      const code = trailers['grpc-status'];
      const status = code === undefined ? (STATUS_OF_RESET[stream.rstCode ?? 0] ?? -1) : Number(code);
      const body = status === 0 ? Buffer.concat(chunks).subarray(5) : null;
      const message = code === undefined ? failure || `stream closed with ${stream.rstCode}` : '';
      resolve({
        status,
        message: message || decodeURIComponent(String(trailers['grpc-message'] ?? '')),
        body,
        tookMs: performance.now() - startedAt,
        trailers,
      });
    });
  });
}
