import { createHmac } from 'node:crypto';

/** What a mutation does with one root field. */
export interface AuditedField {
  name: string;
  /** keyed digest of the arguments: the same arguments have the same one, and nothing can be read from it */
  argumentsDigest: string;
  /** ids among the arguments that are safe to keep, as `name=value` */
  ids: readonly string[];
}

/** Who wants what. */
export interface AuditedMutation {
  requestId: string;
  subject: string;
  clientId: string | null;
  roles: readonly string[];
  /** null: the operation has no name */
  operation: string | null;
  /** SHA-256 of the document, hexadecimal */
  operationHash: string;
  fields: readonly AuditedField[];
}

/** What happened, as the log keeps it. An INTENT is written before a mutation runs, its OUTCOME after; a REFUSAL ran nothing. */
export type AuditEvent =
  | { kind: 'INTENT'; what: AuditedMutation }
  | { kind: 'REFUSAL'; what: AuditedMutation & { codes: readonly string[] } }
  | { kind: 'OUTCOME'; what: { of: number; outcome: 'OK' | 'FAILED'; codes: readonly string[] } };

/** One link of a tenant's chain. */
export type AuditEntry = AuditEvent & {
  tenantId: string;
  /** from 1 on, without gaps */
  seq: number;
  at: Date;
  /** `hash` of the entry before; {@link GENESIS} for the first */
  prevHash: string;
  hash: string;
};

/** Where a chain stands. */
export interface ChainHead {
  seq: number;
  hash: string;
}

/** The head of a chain without entries. */
export const GENESIS: ChainHead = { seq: 0, hash: '0'.repeat(64) };

/**
 * HMAC-SHA-256 of an entry and, through `prevHash`, of all before it. Keyed: whoever can write the store and does not know the
 * secret cannot make a chain that holds.
 */
export function hashOf(entry: Omit<AuditEntry, 'hash'>, secret: string): string {
  const { tenantId, seq, at, kind, prevHash, what } = entry;
  return keyed(secret, canonical(['entry', tenantId, seq, at.toISOString(), kind, prevHash, what]));
}

/** Proves that a chain was once as long as `head` says. */
export function anchorMacOf(tenantId: string, { seq, hash }: ChainHead, secret: string): string {
  return keyed(secret, canonical(['anchor', tenantId, seq, hash]));
}

/** Keyed digest of a value, 32 hexadecimal digits. Members of objects count in their order. @param json  of the value, without blanks */
export function digestOf(json: readonly (string | Uint8Array)[], secret: string): string {
  const digest = createHmac('sha256', secret).update('digest ');
  for (const part of json) digest.update(part);
  return digest.digest('hex').slice(0, 32);
}

function keyed(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** JSON with the members of objects in order of their names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
