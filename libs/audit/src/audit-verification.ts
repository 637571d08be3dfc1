import type { AuditChains } from './audit-chain.repository.js';
import { anchorMacOf, type AuditEntry, type ChainHead, GENESIS, hashOf } from './audit-entry.js';

/** The first thing that is wrong with a chain. */
export interface BrokenLink {
  /** number of the first entry that cannot be trusted */
  seq: number;
  why: string;
}

export interface Verdict {
  tenantId: string;
  /** entries that hold, from the first on */
  entries: number;
  /** of the last entry that holds; keep it outside, and a chain that was cut back to less is found out whatever the store says */
  head: ChainHead;
  /** null: the chain is whole */
  broken: BrokenLink | null;
}

/**
 * Reads a tenant's chain from its first entry on and compares it with its anchor.
 *
 * @param checking.secrets   those that entries may have been written with
 * @param checking.expected  a head that was kept outside of the store
 */
export async function verifyChain(
  chains: AuditChains,
  tenantId: string,
  checking: { secrets: readonly string[]; expected?: ChainHead | null },
): Promise<Verdict> {
  const anchor = await chains.findAnchor(tenantId); // before the entries: they may only have become more since
  const marks = [anchor, checking.expected].filter((mark) => mark != null);
  let head = GENESIS;
  for await (const entry of chains.walk(tenantId)) {
    const why = faultOf(entry, head, checking.secrets) ?? contradictionOf(entry, marks);
    const at = why?.startsWith('missing') ? head.seq + 1 : entry.seq;
    if (why !== null) return { tenantId, entries: head.seq, head, broken: { seq: at, why } };
    head = { seq: entry.seq, hash: entry.hash };
  }
  return { tenantId, entries: head.seq, head, broken: cutOf({ tenantId, head }, anchor, checking) };
}

function faultOf(entry: AuditEntry, before: ChainHead, secrets: readonly string[]): string | null {
  if (entry.seq <= before.seq) return 'inserted: a second entry has this number';
  if (entry.seq !== before.seq + 1) return 'missing: the entry was taken out';
  if (entry.prevHash !== before.hash) return 'not linked to the entry before';
  const holds = secrets.some((secret) => hashOf(entry, secret) === entry.hash);
  return holds ? null : 'changed, or written with another secret';
}

/** A rewritten chain: whole in itself, and not the one that was anchored. */
function contradictionOf({ seq, hash }: AuditEntry, marks: readonly ChainHead[]): string | null {
  const contradicted = marks.some((mark) => mark.seq === seq && mark.hash !== hash);
  return contradicted ? 'not the entry that was anchored' : null;
}

function cutOf(
  { tenantId, head }: { tenantId: string; head: ChainHead },
  anchor: (ChainHead & { mac: string }) | null,
  { secrets, expected }: { secrets: readonly string[]; expected?: ChainHead | null },
): BrokenLink | null {
  if (anchor && !secrets.some((secret) => anchorMacOf(tenantId, anchor, secret) === anchor.mac))
    return {
      seq: head.seq + 1,
      why: 'the anchor was changed, so that nobody knows whether entries were cut off',
    };
  if (!anchor && head.seq > 0)
    return {
      seq: head.seq + 1,
      why: 'the anchor is missing, so that nobody knows whether entries were cut off',
    };
  const length = Math.max(anchor?.seq ?? 0, expected?.seq ?? 0);
  return length > head.seq
    ? { seq: head.seq + 1, why: `cut off: the chain once had ${length} entries` }
    : null;
}
