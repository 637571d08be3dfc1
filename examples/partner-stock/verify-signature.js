import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

const seen = new Map(); // nonce → when it may be forgotten

/**
 * Who is behind a request that a Sextant gateway signed in the last 30 s for the subgraph of this name; null for every other one,
 * replays included.
 */
export function verifySignature({ method, path, body, headers }, { name, secret }, nowMs = Date.now()) {
  const [identity, time, nonce, given] = ['identity', 'time', 'nonce', 'signature'].map(
    (part) => headers[`x-sextant-${part}`] ?? '',
  );
  const bodyHash = createHash('sha256').update(body).digest('hex');
  const signed = `${name}\n${method}\n${path}\n${bodyHash}\n${time}\n${nonce}\n${identity}`;
  const proofs = [given, createHmac('sha256', secret).update(signed).digest('base64url')].map((text) =>
    Buffer.from(text),
  );
  if (proofs[0].length !== proofs[1].length || !timingSafeEqual(...proofs)) return null;
  if (!(Math.abs(nowMs - Number(time)) <= 30_000) || seen.has(nonce)) return null;
  for (const [old, until] of seen) if (until < nowMs) seen.delete(old);
  seen.set(nonce, nowMs + 60_000);
  return JSON.parse(Buffer.from(identity, 'base64url').toString('utf8'));
}
