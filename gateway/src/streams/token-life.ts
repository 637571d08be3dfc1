import { DomainError } from '@sextant/domain';

/** When a bearer token that was verified runs out, epoch milliseconds; null for anything else, e.g. an access key. */
export function expiryOf(authorization: string | undefined): number | null {
  const payload = /^Bearer +[\w-]+\.([\w-]+)\.[\w-]+ *$/i.exec(authorization ?? '')?.[1];
  if (payload === undefined) return null;
  const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { exp?: unknown };
  return typeof exp === 'number' ? exp * 1_000 : null;
}

/** How often it is asked whether somebody may still stay, e.g. whether an access key was revoked. */
const ASK_AGAIN_MS = 60_000;
/** Longest delay of a timer. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Watches over a connection that stays open: at the expiry of its token, or when it is no longer accepted, it ends.
 *
 * @param identify  rejects when whoever it is may stay no longer
 * @returns how to stop watching
 */
export function watchIdentity(
  watched: { authorization: string | undefined; identify(): Promise<unknown> },
  onExpired: () => void,
): () => void {
  const expiresAtMs = expiryOf(watched.authorization);
  const end = (): void => {
    stop();
    onExpired();
  };
  const delayMs = Math.min(MAX_DELAY_MS, Math.max(0, (expiresAtMs ?? Infinity) - Date.now()));
  const expiry = setTimeout(end, delayMs);
  const ask = (): void =>
    void watched.identify().catch((error: unknown) => {
      // where the keys cannot be read for a moment, nobody is sent away
      const isRefused = error instanceof DomainError && /^(?:unauthenticated|forbidden)$/.test(error.kind);
      if (isRefused) end();
    });
  const asking = setInterval(ask, ASK_AGAIN_MS);
  expiry.unref();
  asking.unref();
  const stop = (): void => {
    clearTimeout(expiry);
    clearInterval(asking);
  };
  return stop;
}
