import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isTenantId } from '@sextant/domain';

/** A machine's way in. Its secret is known to whoever asked for it, and to nobody else. */
export interface AccessKey {
  /** 16 hexadecimal digits */
  id: string;
  tenantId: string;
  /** what it is for, for people */
  label: string;
  roles: readonly string[];
  scopes: readonly string[];
  createdBy: string;
  createdAt: Date;
  expiresAt: Date;
  revokedAt: Date | null;
}

/** What a caller presents: `sxk_<tenant>_<id>_<secret>`. */
export interface PresentedKey {
  tenantId: string;
  id: string;
  secret: string;
}

export const KEY_PREFIX = 'sxk_';
const PRESENTED = /^sxk_([a-z0-9-]{1,63})_([0-9a-f]{16})_([\w-]{43})$/;

/** A key with a secret of 256 random bits. */
export function newPresentedKey(tenantId: string): PresentedKey {
  return { tenantId, id: randomBytes(8).toString('hex'), secret: randomBytes(32).toString('base64url') };
}

export function textOf({ tenantId, id, secret }: PresentedKey): string {
  return `${KEY_PREFIX}${tenantId}_${id}_${secret}`;
}

/** Null for a text that is no access key. */
export function parsePresentedKey(text: string): PresentedKey | null {
  const [, tenantId = '', id = '', secret = ''] = PRESENTED.exec(text) ?? [];
  return isTenantId(tenantId) && id ? { tenantId, id, secret } : null;
}

/**
 * What is kept of a secret: HMAC-SHA-256 under the secret itself, over tenant and id. A fast hash is enough for 256 random bits,
 * and one of another tenant or id is worth nothing here.
 */
export function digestOf({ tenantId, id, secret }: PresentedKey): string {
  return createHmac('sha256', secret).update(`sextant access key 1\n${tenantId}\n${id}`).digest('hex');
}

export function isSecretOf(presented: PresentedKey, digest: string): boolean {
  return timingSafeEqual(Buffer.from(digestOf(presented)), Buffer.from(digest));
}
