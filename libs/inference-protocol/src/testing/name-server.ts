import { createSocket, type Socket } from 'node:dgram';

const HEADER_BYTES = 12;
const TYPE_A = 1;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;

/** A DNS server on UDP that answers every question for an A record with the same addresses (RFC 1035, section 4.1). */
export class NameServer {
  addresses: string[] = [];
  isFailing = false;
  private readonly socket: Socket = createSocket('udp4');

  static async start(): Promise<NameServer> {
    const server = new NameServer();
    server.socket.on('message', (question, { port, address }) =>
      server.socket.send(server.answer(question), port, address),
    );
    await new Promise<void>((resolve) => server.socket.bind(0, '127.0.0.1', resolve));
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  stop(): void {
    this.socket.close();
  }

  private answer(question: Buffer): Buffer {
    const end = question.indexOf(0, HEADER_BYTES) + 5; // the root label, the type, the class
    const type = question.readUInt16BE(end - 4);
    const records = type === TYPE_A && !this.isFailing ? this.addresses.map(recordOf) : [];
    const header = Buffer.from(question.subarray(0, HEADER_BYTES));
    const failure = this.isFailing ? SERVER_FAILURE : this.addresses.length === 0 ? NO_SUCH_NAME : 0;
    header.writeUInt16BE(0x8180 | failure, 2); // an answer, recursion as wished
    header.writeUInt16BE(records.length, 6);
    header.writeUInt32BE(0, 8); // nothing further
    return Buffer.concat([header, question.subarray(HEADER_BYTES, end), ...records]);
  }
}

/** Name (as in the question), type A, class IN, 1 s to live, four bytes. */
function recordOf(address: string): Buffer {
  return Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split('.').map(Number)]);
}
