import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { type IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelRefused, shown } from '@sextant/onnx';
import { isPublicAddress } from './public-address.js';

export interface SourceLimits {
  /** folder with a folder for each tenant, from which `file:` addresses are read; null: none are */
  folder: string | null;
  maxBytes: number;
  timeMs: number;
  /** how `https:` connects; whatever is absent is the public internet with the system's authorities */
  web?: { isAllowed?(address: string): boolean; port?: number; ca?: string };
}

const MAX_REDIRECTS = 3;
const HTTPS_PORT = 443;

/**
 * Reads a model file from an address: `file:` below the tenant's own folder, or `https:` on the public internet.
 *
 * @throws ModelRefused SOURCE_REFUSED for an address that may not be read, SOURCE_UNREACHABLE, FILE_TOO_LARGE
 */
export async function fetchModelFile(
  tenantId: string,
  address: string,
  limits: SourceLimits,
): Promise<Buffer> {
  const url = parseAddress(address);
  if (url.protocol === 'file:') return readFolder(tenantId, url, limits);
  if (url.protocol === 'https:') return download(url, limits);
  throw refused(`${url.protocol} addresses are not read: use https:, file: or an upload`);
}

function parseAddress(address: string): URL {
  try {
    return new URL(address);
  } catch {
    throw refused(`${shown(address)} is no address: use https:, file: or an upload`);
  }
}

async function readFolder(tenantId: string, url: URL, { folder, maxBytes }: SourceLimits): Promise<Buffer> {
  if (folder === null)
    throw refused('file: addresses are not read here: set SEXTANT_IMPORT_DIR, or upload the file');
  if (url.hostname !== '') throw refused('a file: address names no host: file:///path');
  const outside = refused(`file: addresses lie below the folder ${shown(tenantId)} of SEXTANT_IMPORT_DIR`);
  const path = pathOf(url);
  const own = await realpath(join(folder, tenantId)).catch(() => null);
  // A name outside is refused as outside, whether or not there is such a file.
  const found = await realpath(path).catch(() => null);
  if (own === null || path === null) throw outside;
  if (found === null) {
    if (!path.startsWith(own + sep)) throw outside;
    throw new ModelRefused('SOURCE_UNREACHABLE', 'there is no such file in the import folder');
  }
  if (!found.startsWith(own + sep)) throw outside;
  return readRegular(found, maxBytes);
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw refused('the file: address is no path');
  }
}

/** Neither a device nor a pipe, which would never end; not through a link that came in between. */
async function readRegular(path: string, maxBytes: number): Promise<Buffer> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch(() => {
    throw new ModelRefused('SOURCE_UNREACHABLE', 'the file in the import folder cannot be read');
  });
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw refused('what lies there is no regular file');
    if (status.size > maxBytes) throw tooLarge(maxBytes);
    const content = Buffer.alloc(status.size);
    const { bytesRead } = await handle.read(content, 0, status.size, 0);
    return content.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function download(first: URL, limits: SourceLimits): Promise<Buffer> {
  const signal = AbortSignal.timeout(limits.timeMs);
  let url = first;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const answer = await ask(url, limits, signal);
    const { statusCode = 0, headers } = answer;
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      answer.destroy();
      url = new URL(headers.location, url);
      continue;
    }
    if (statusCode !== 200) {
      answer.destroy();
      throw unreachable(`the server answers ${statusCode}`);
    }
    return readAnswer(answer, limits, signal);
  }
  throw refused(`the address leads on more than ${MAX_REDIRECTS} times`);
}

async function ask(url: URL, { web = {} }: SourceLimits, signal: AbortSignal): Promise<IncomingMessage> {
  const { isAllowed = isPublicAddress, port = HTTPS_PORT, ca } = web;
  if (url.protocol !== 'https:') throw refused('the address leads to something other than https:');
  if (url.username !== '' || url.password !== '')
    throw refused('addresses with a name and a password are not read');
  if (Number(url.port || HTTPS_PORT) !== port) throw refused(`only port ${port} is asked`);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isAllowed(host)) throw notPublic(host);
  const options: RequestOptions = {
    method: 'GET',
    signal,
    lookup: allowedOnly(isAllowed),
    headers: { accept: 'application/octet-stream', 'accept-encoding': 'identity' },
    agent: false,
    ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const asked = request(url, options, resolve);
    asked.once('error', (error) => reject(asRefusal(error, signal)));
    asked.end();
  });
}

type Lookup = NonNullable<RequestOptions['lookup']>;

/** The name is resolved once, and the connection goes to the address that was checked. */
function allowedOnly(isAllowed: (address: string) => boolean): Lookup {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses: LookupAddress[] = []) => {
      const [first] = addresses;
      if (error || !first) return callback(error ?? unreachable('the name has no address'), '', 0);
      const other = addresses.find(({ address }) => !isAllowed(address));
      if (other) return callback(notPublic(hostname), '', 0);
      if (options.all === true)
        return (callback as unknown as (e: null, all: LookupAddress[]) => void)(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

async function readAnswer(
  answer: IncomingMessage,
  { maxBytes }: SourceLimits,
  signal: AbortSignal,
): Promise<Buffer> {
  if (Number(answer.headers['content-length'] ?? 0) > maxBytes) {
    answer.destroy();
    throw tooLarge(maxBytes);
  }
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      length += piece.byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      pieces.push(piece);
    }
  } catch (error) {
    throw asRefusal(error, signal);
  } finally {
    answer.destroy();
  }
  return Buffer.concat(pieces, length);
}

function asRefusal(error: unknown, signal: AbortSignal): ModelRefused {
  if (error instanceof ModelRefused) return error;
  if (signal.aborted) return unreachable('the server did not send it in time');
  const { code = 'no answer' } = error as NodeJS.ErrnoException;
  return unreachable(`the connection failed (${code})`);
}

function refused(why: string): ModelRefused {
  return new ModelRefused('SOURCE_REFUSED', why);
}

/** Whether there is anything at an inner address is nobody's business outside. */
function notPublic(host: string): ModelRefused {
  return refused(
    `${shown(host)} is no address of the public internet: put the file into the import folder, or upload it`,
  );
}

function unreachable(why: string): ModelRefused {
  return new ModelRefused('SOURCE_UNREACHABLE', `the file cannot be had: ${why}`);
}

function tooLarge(maxBytes: number): ModelRefused {
  return new ModelRefused(
    'FILE_TOO_LARGE',
    `the file has more than ${maxBytes.toLocaleString('en')} bytes, which SEXTANT_IMPORT_MAX_BYTES allows`,
  );
}
