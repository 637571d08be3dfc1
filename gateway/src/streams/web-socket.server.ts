import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { AUDIENCES } from '../http/http-front.js';
import { CLOSE, SocketSession } from './socket-session.js';
import type { StreamServing } from './stream-settings.js';

const PROTOCOL = 'graphql-transport-ws';
/** Longest message of a client: a document and its variables. */
const MAX_MESSAGE_BYTES = 256 * 1024;
/** Sockets that have not said yet who they are. */
const MAX_SOCKETS = 20_000;
/** How often a socket is asked whether it lives; one that does not answer until the next time is gone. */
const PING_MS = 20_000;

/** WebSockets at the paths of the graph, for `graphql-transport-ws`. */
export class WebSocketFront {
  private readonly sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false, // costs memory and time for every socket
    handleProtocols: (protocols) => (protocols.has(PROTOCOL) ? PROTOCOL : false),
  });
  private readonly alive = new WeakSet<object>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    server: Server,
    private readonly serving: StreamServing,
  ) {
    server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    this.timer = setInterval(() => this.ping(), PING_MS);
    this.timer.unref();
  }

  /** Closes every socket, so that its client connects elsewhere. */
  close(): void {
    clearInterval(this.timer);
    for (const socket of this.sockets.clients)
      socket.close(CLOSE.goingDown, 'this gateway goes down: connect again');
    this.sockets.close();
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const audience = Object.hasOwn(AUDIENCES, path) ? AUDIENCES[path] : undefined;
    if (audience === undefined) return refuse(socket, '404 Not Found');
    if (this.sockets.clients.size >= MAX_SOCKETS) return refuse(socket, '503 Service Unavailable');
    this.sockets.handleUpgrade(request, socket, head, (opened) => {
      this.alive.add(opened);
      opened.on('pong', () => this.alive.add(opened));
      opened.on('error', () => opened.terminate()); // what is no frame, also from a socket that is being closed
      if (opened.protocol !== PROTOCOL) return opened.close(4406, 'Subprotocol not acceptable');
      new SocketSession(opened, { request, audience }, this.serving);
    });
  }

  private ping(): void {
    for (const socket of this.sockets.clients) {
      if (!this.alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }
}

/** Node leaves the errors of a socket that asks for an upgrade to whoever listens for them. */
function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
