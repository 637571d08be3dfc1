import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DomainError } from '@sextant/domain';

/** Largest supergraph that is read. */
const MAX_BYTES = 16 * 1024 * 1024;
/** A file that changed this recently may still be in the middle of being written. */
const SETTLED_AFTER_MS = 200;
const FETCH_TIMEOUT_MS = 5_000;

/** Where the composed supergraph comes from. */
export interface SupergraphSource {
  /** as it was configured, for messages */
  readonly place: string;
  /**
   * The text; null when it is what the last call returned.
   *
   * @throws DomainError SUPERGRAPH_UNAVAILABLE when it cannot be read at present
   */
  read(): Promise<string | null>;
}

/**
 * @param place                 path of a file, or an http(s) or file URL
 * @param options.authorization sent as the header of that name to an http(s) URL; empty: none
 */
export function supergraphSource(place: string, options: { authorization: string }): SupergraphSource {
  if (/^https?:\/\//.test(place)) return new UrlSource(place, options.authorization);
  return new FileSource(place.startsWith('file:') ? fileURLToPath(place) : place);
}

/** Follows a path through whatever replaces it: writing in place, renaming over it, or the symlinks of a mounted ConfigMap. */
class FileSource implements SupergraphSource {
  private seen = '';
  private digest = '';

  constructor(readonly place: string) {}

  async read(): Promise<string | null> {
    const before = await this.look();
    if (before.identity === this.seen) return null;
    const isFirst = this.seen === '';
    const text = await readFile(this.place, 'utf8').catch((cause: unknown) => this.fail(cause));
    const after = await this.look();
    const isSettled = after.identity === before.identity && Date.now() - after.mtimeMs >= SETTLED_AFTER_MS;
    if (!isSettled && !isFirst) return null; // looked at again next time
    this.seen = after.identity;
    const digest = sha256(text);
    if (digest === this.digest) return null;
    this.digest = digest;
    return text;
  }

  private async look(): Promise<{ identity: string; mtimeMs: number }> {
    const { ino, size, mtimeMs } = await stat(this.place).catch((cause: unknown) => this.fail(cause));
    if (size > MAX_BYTES) this.fail(new Error(`it has ${size} bytes, ${MAX_BYTES} are read`));
    return { identity: `${ino} ${size} ${mtimeMs}`, mtimeMs };
  }

  private fail(cause: unknown): never {
    throw unavailable(this.place, cause);
  }
}

/** Asks with `If-None-Match`; a `Content-Digest` (RFC 9530, sha-256) is checked where the server sends one. */
class UrlSource implements SupergraphSource {
  readonly place: string;
  private etag: string | null = null;
  private digest = '';

  constructor(
    private readonly url: string,
    private readonly authorization: string,
  ) {
    this.place = url;
  }

  async read(): Promise<string | null> {
    try {
      return await this.fetch();
    } catch (cause) {
      throw unavailable(this.place, cause);
    }
  }

  private async fetch(): Promise<string | null> {
    const response = await fetch(this.url, {
      headers: {
        accept: 'application/graphql, text/plain;q=0.9, */*;q=0.1',
        ...(this.etag !== null && { 'if-none-match': this.etag }),
        ...(this.authorization !== '' && { authorization: this.authorization }),
      },
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    if (response.status === 304) return null;
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`status ${response.status}`);
    }
    const bytes = await bytesOf(response);
    checkDigest(bytes, response.headers.get('content-digest'));
    this.etag = response.headers.get('etag');
    const text = bytes.toString('utf8');
    const digest = sha256(text);
    if (digest === this.digest) return null;
    this.digest = digest;
    return text;
  }
}

async function bytesOf(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function checkDigest(bytes: Buffer, header: string | null): void {
  const stated = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):/.exec(header ?? '')?.[1];
  if (stated === undefined) return;
  const found = createHash('sha256').update(bytes).digest('base64');
  if (found !== stated) throw new Error(`its SHA-256 is ${found}, not ${stated} as its Content-Digest says`);
}

/** SHA-256, hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function unavailable(place: string, cause: unknown): DomainError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DomainError(
    'SUPERGRAPH_UNAVAILABLE',
    `the supergraph cannot be read from ${place} (SUPERGRAPH_PATH): ${reason}`,
    { cause },
  );
}
