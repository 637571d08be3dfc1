import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Longest headers, the URL among them. */
export const MAX_HEADER_BYTES = 16 * 1024;

/** How long clients may take, milliseconds. */
export interface ServerTimeouts {
  /** for the headers of a request */
  headersMs: number;
  /** for all of a request */
  requestMs: number;
  /** how often both are looked at */
  checkedEveryMs: number;
}

/** A client that dribbles its request in is cut off. */
const TIMEOUTS: ServerTimeouts = { headersMs: 10_000, requestMs: 60_000, checkedEveryMs: 5_000 };
/** Longer than what load balancers keep an idle connection for, so that they never send into one that is being closed. */
const KEEP_ALIVE_MS = 65_000;

/** Faults below HTTP that deserve an answer, by the code of Node's parser. */
const ANSWERS: Readonly<Record<string, { status: number; code: string; message: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'REQUEST_TOO_LARGE',
    message: `URL and headers may have ${MAX_HEADER_BYTES} bytes together: send the operation with POST`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'BAD_REQUEST',
    message: 'the request did not arrive in time: headers within 10 seconds, all of it within 60',
  },
};

/** Open connections of each server; Node's own list has neither upgraded ones nor says which never carried a request. */
const SOCKETS = new WeakMap<Server, Set<Socket>>();

/** The public HTTP server, with bounds on what a slow or broken client can hold. */
export function gatewayServer(
  front: (request: IncomingMessage, response: ServerResponse) => void,
  timeouts: ServerTimeouts = TIMEOUTS,
): Server {
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      connectionsCheckingInterval: timeouts.checkedEveryMs,
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
    },
    front,
  );
  server.on('clientError', answerBrokenRequest);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  SOCKETS.set(server, sockets);
  return server;
}

/** Answers what is no HTTP in the shape of every other refusal, and closes the connection. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const { status, code, message } = ANSWERS[error.code ?? ''] ?? {
    status: 400,
    code: 'BAD_REQUEST',
    message: 'this is no well-formed HTTP request',
  };
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** How often a server that drains looks for connections that nobody uses; a request that is on its way has as long to come. */
const SWEEP_MS = 50;

/**
 * Ends a server of {@link gatewayServer} without cutting anybody off: nothing new is taken, what is in progress gets its answer, and
 * what still runs after `drainMs` is ended, upgraded connections too.
 */
export async function drainServer(server: Server, drainMs: number): Promise<void> {
  const sockets = () => [...(SOCKETS.get(server) ?? [])];
  const force = setTimeout(() => sockets().forEach((socket) => socket.destroy()), drainMs);
  const sweep = setInterval(() => {
    // A connection whose last answer is out is idle, and Node looks for those only once.
    server.closeIdleConnections();
    // One that was opened ahead of its first request is not idle to Node, which waits for the headers.
    for (const socket of sockets()) if (socket.bytesRead === 0) socket.destroy();
  }, SWEEP_MS);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearInterval(sweep);
  clearTimeout(force);
}
