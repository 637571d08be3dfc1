import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The identity behind a request that a Sextant gateway signed at most 30 s ago; null for every other request. */
export function verifySignature({ method, path, body, headers }, secret) {
  const identity = headers['x-sextant-identity'] ?? '';
  const time = headers['x-sextant-time'] ?? '';
  const nonce = headers['x-sextant-nonce'] ?? '';
  const bodyHash = createHash('sha256').update(body).digest('hex');
  const expected = createHmac('sha256', secret)
    .update(`${method}\n${path}\n${bodyHash}\n${time}\n${nonce}\n${identity}`)
    .digest('base64url');
  const given = Buffer.from(headers['x-sextant-signature'] ?? '');
  if (given.length !== expected.length || !timingSafeEqual(given, Buffer.from(expected))) return null;
  if (!(Math.abs(Date.now() - Number(time)) <= 30_000)) return null;
  return JSON.parse(Buffer.from(identity, 'base64url').toString('utf8'));
}
