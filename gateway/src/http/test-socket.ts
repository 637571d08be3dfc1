import { connect, type Socket } from 'node:net';

/** A connection for what no well-behaved client sends. */
export interface RawConnection {
  socket: Socket;
  /** all that came so far */
  received(): string;
  /** settles when the server has closed the connection, with all that came */
  closed: Promise<string>;
}

export async function rawConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  let text = '';
  const socket = connect(Number(port), hostname);
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return { socket, received: () => text, closed };
}

/** Waits for a condition. @throws Error when it does not come true in time */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`${what} did not come within 5 s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
