import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ClientGone, Refusal } from './refusal.js';

/** Largest request: a full ingest batch of large events. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * The body of a POST request as text.
 *
 * @throws Refusal for another content type, encoding or character set than JSON in UTF-8, and for more than 16 MiB
 */
export async function readJsonBody(request: IncomingMessage): Promise<string> {
  requireJson(request);
  const bytes = await readBytes(request);
  if (!isUtf8(bytes)) throw new Refusal(400, 'BAD_REQUEST', 'the body is no UTF-8');
  return bytes.toString('utf8');
}

function requireJson({ headers }: IncomingMessage): void {
  const type = headers['content-type'] ?? '';
  const mended = { accept: 'application/json' };
  if (/^multipart\//i.test(type)) {
    const message =
      'files are not taken in GraphQL requests: send JSON; events and products have mutations of their own';
    throw new Refusal(415, 'UPLOADS_UNSUPPORTED', message, mended);
  }
  const [, charset = 'utf-8'] = /^application\/json\s*(?:;\s*charset="?([\w-]+)"?\s*)?(?:;|$)/i.exec(
    type.trim(),
  ) ?? ['', '-'];
  if (!/^utf-?8$/i.test(charset)) {
    const message = 'send the operation with content-type: application/json, in UTF-8';
    throw new Refusal(415, 'UNSUPPORTED_MEDIA_TYPE', message, mended);
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() === 'identity') return;
  const message = `the body is encoded as ${encoding.slice(0, 40)}: send it as it is`;
  throw new Refusal(415, 'UNSUPPORTED_MEDIA_TYPE', message, { 'accept-encoding': 'identity' });
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = () =>
    // The rest is not read, so that the connection is of no further use.
    new Refusal(413, 'REQUEST_TOO_LARGE', `a request may have ${MAX_BODY_BYTES} bytes: send several`, {
      connection: 'close',
    });
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.byteLength;
      if (length <= MAX_BODY_BYTES) return void chunks.push(chunk);
      request.pause();
      reject(tooLarge());
    });
    request.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length)),
    );
    request.on('error', () => reject(new ClientGone(request)));
    request.on('close', () => {
      if (!request.complete) reject(new ClientGone(request));
    });
  });
}
