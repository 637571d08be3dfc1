import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, DomainError } from '@sextant/domain';
import type { AuditChains } from './audit-chain.repository.js';
import { type AuditEntry, type AuditEvent, type ChainHead, digestOf, hashOf } from './audit-entry.js';

export interface AuditLogOptions {
  chains: AuditChains;
  /** at least 32 characters; several separated by commas while it is rotated, the first of which is used */
  secret: string;
  clock: Clock;
  /** longest that an entry may wait until it is durable, milliseconds */
  timeoutMs: number;
  /** told when the length of a chain could not be kept beside it; the next entry tries again */
  onAnchorFailed(error: unknown): void;
}

interface Pending {
  event: AuditEvent;
  at: Date;
  resolve(seq: number): void;
  reject(error: unknown): void;
}

/** One tenant's chain, as this process extends it. */
interface Chain {
  /** null: to be read before the next entry */
  head: ChainHead | null;
  queue: Pending[];
  running: Promise<void> | null;
  /** what waits in the queue is written when it is over; null: nothing waits */
  lingering: NodeJS.Timeout | null;
  /** the head that is kept beside the chain next; null: none */
  toAnchor: ChainHead | null;
  anchoring: Promise<void> | null;
  /** until the next anchor */
  pausing: NodeJS.Timeout | null;
}

/**
 * An anchor is a durable write of its own, so that a busy chain gets one a second. Entries younger than that could be cut off
 * unseen only if every gateway that knows them died as well.
 */
const ANCHOR_PAUSE_MS = 1_000;
const MAX_BATCH = 500;
/** Entries that may wait for the store; with more, it is taken for down. */
const MAX_QUEUE = 10_000;

/**
 * Appends to the chain of each tenant. What comes while a write is under way is written together with the next one. Several
 * processes extend one chain: the number of an entry is unique, so that whoever comes second links anew behind the first.
 */
export class AuditLog {
  private readonly byTenant = new Map<string, Chain>();
  private readonly secret: string;

  constructor(private readonly options: AuditLogOptions) {
    [this.secret = ''] = options.secret.split(',', 1);
  }

  /** Keyed digest of a value. @param json  of the value in parts, without blanks */
  digest(json: readonly (string | Uint8Array)[]): string {
    return digestOf(json, this.secret);
  }

  /**
   * @param lingerMs  how long the entry may wait for another one, to be written together with it
   * @returns the entry's number, once a majority of the store has it
   * @throws DomainError STORE_UNAVAILABLE; the entry may stand in the chain all the same
   */
  append(tenantId: string, event: AuditEvent, { lingerMs = 0 }: { lingerMs?: number } = {}): Promise<number> {
    const chain = this.chainOf(tenantId);
    if (chain.queue.length >= MAX_QUEUE) return Promise.reject(unavailable());
    return new Promise((resolve, reject) => {
      chain.queue.push({ event, at: this.options.clock.now(), resolve, reject });
      if (lingerMs === 0) this.start(tenantId, chain);
      else chain.lingering ??= setTimeout(() => this.start(tenantId, chain), lingerMs);
    });
  }

  /** Writes what waits, and waits for it. */
  async close(): Promise<void> {
    for (const [tenantId, chain] of this.byTenant) {
      this.start(tenantId, chain);
      await chain.running;
      while (chain.anchoring || chain.toAnchor) {
        this.startAnchor(tenantId, chain);
        await chain.anchoring;
      }
      clearTimeout(chain.pausing ?? undefined);
    }
  }

  private start(tenantId: string, chain: Chain): void {
    clearTimeout(chain.lingering ?? undefined);
    chain.lingering = null;
    if (chain.queue.length > 0) chain.running ??= this.drain(tenantId, chain);
  }

  private chainOf(tenantId: string): Chain {
    const known = this.byTenant.get(tenantId);
    if (known) return known;
    const chain: Chain = {
      ...{ head: null, queue: [], running: null, lingering: null },
      ...{ toAnchor: null, anchoring: null, pausing: null },
    };
    this.byTenant.set(tenantId, chain);
    return chain;
  }

  private async drain(tenantId: string, chain: Chain): Promise<void> {
    await Promise.resolve(); // what comes in the same turn of the event loop is written together
    while (chain.queue.length > 0) {
      const batch = chain.queue.splice(0, MAX_BATCH);
      try {
        await this.write(tenantId, chain, batch);
      } catch (error) {
        chain.head = null;
        for (const { reject } of batch) reject(unavailable(error));
      }
    }
    chain.running = null;
  }

  private async write(tenantId: string, chain: Chain, batch: readonly Pending[]): Promise<void> {
    const deadline = Date.now() + this.options.timeoutMs;
    for (let rest = batch; rest.length > 0;) {
      chain.head ??= await this.options.chains.head(tenantId);
      const entries = this.linked(tenantId, chain.head, rest);
      const added = await this.options.chains.append(entries);
      const last = entries[added - 1];
      if (last) this.anchorSoon(tenantId, chain, { seq: last.seq, hash: last.hash });
      rest.slice(0, added).forEach(({ resolve }, i) => resolve(entries[i]?.seq ?? 0));
      rest = rest.slice(added);
      chain.head = rest.length === 0 && last ? { seq: last.seq, hash: last.hash } : null;
      if (rest.length === 0) return;
      if (Date.now() > deadline) throw new Error('other processes extended the chain all the time');
      await pause(1 + Math.random() * 9);
    }
  }

  private linked(tenantId: string, head: ChainHead, rows: readonly Pending[]): AuditEntry[] {
    let { seq, hash } = head;
    return rows.map(({ event, at }) => {
      const entry = { ...event, tenantId, seq: (seq += 1), at, prevHash: hash };
      hash = hashOf(entry, this.secret);
      return { ...entry, hash };
    });
  }

  private anchorSoon(tenantId: string, chain: Chain, head: ChainHead): void {
    chain.toAnchor = head;
    if (!chain.pausing) this.startAnchor(tenantId, chain);
  }

  private startAnchor(tenantId: string, chain: Chain): void {
    clearTimeout(chain.pausing ?? undefined);
    chain.pausing = setTimeout(() => {
      chain.pausing = null;
      if (chain.toAnchor) this.startAnchor(tenantId, chain);
    }, ANCHOR_PAUSE_MS);
    chain.pausing.unref();
    if (chain.toAnchor) chain.anchoring ??= this.anchor(tenantId, chain, chain.toAnchor);
  }

  private async anchor(tenantId: string, chain: Chain, head: ChainHead): Promise<void> {
    const { chains, clock, onAnchorFailed } = this.options;
    chain.toAnchor = null;
    try {
      await chains.anchor(tenantId, head, { secret: this.secret, at: clock.now() });
    } catch (error) {
      onAnchorFailed(error);
    } finally {
      chain.anchoring = null;
    }
  }
}

function unavailable(cause?: unknown): DomainError {
  return new DomainError(
    'STORE_UNAVAILABLE',
    'the audit log cannot be written, so that nothing was changed; try again in a moment',
    { cause },
  );
}
