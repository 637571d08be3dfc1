import type { CachePolicy } from './cache-rules.js';

/** What an entry takes beside its two texts, roughly, in bytes. */
const ENTRY_OVERHEAD = 200;
/** Counters of invalidated types, over all tenants; beyond them everything is forgotten at once. */
const MOST_GENERATIONS = 100_000;

interface Entry {
  json: string;
  /** of the types it shows, when its fetch began */
  generation: string;
  freshUntil: number;
  staleUntil: number;
  bytes: number;
}

/** JSON texts by key, the least recently used leave first when they take more than a bound of memory. */
export class AnswerCache {
  private readonly entries = new Map<string, Entry>();
  private readonly generations = new Map<string, number>();
  private size = 0;
  private epoch = 0;

  /**
   * @param options.maxBytes  of keys and texts, two bytes a character
   * @param options.now       epoch milliseconds
   */
  constructor(private readonly options: { maxBytes: number; now: () => number }) {}

  get bytes(): number {
    return this.size;
  }

  get count(): number {
    return this.entries.size;
  }

  /** Of these types of a tenant now; taken before a fetch and given to {@link put} after it, so that a change between them is seen. */
  generationOf(tenantId: string, types: readonly string[]): string {
    const counts = types.map((type) => this.generations.get(`${tenantId}\n${type}`) ?? 0);
    return `${this.epoch}.${counts.join('.')}`;
  }

  /** From now on nothing that was fetched before, and shows one of these types, is used. */
  invalidate(tenantId: string, types: readonly string[]): void {
    if (this.generations.size >= MOST_GENERATIONS) this.forgetAll();
    for (const type of types) {
      const key = `${tenantId}\n${type}`;
      this.generations.set(key, (this.generations.get(key) ?? 0) + 1);
    }
  }

  /** @param allowance  `stale`: also what may be used only because its subgraph fails */
  get(key: string, generation: string, allowance: 'fresh' | 'stale' = 'fresh'): string | null {
    const entry = this.entries.get(key);
    if (!entry) return null;
    const now = this.options.now();
    if (entry.generation !== generation || entry.staleUntil <= now) {
      this.drop(key, entry);
      return null;
    }
    if (allowance === 'fresh' && entry.freshUntil <= now) return null;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.json;
  }

  put(key: string, json: string, { generation, policy }: { generation: string; policy: CachePolicy }): void {
    const known = this.entries.get(key);
    if (known) this.drop(key, known);
    const bytes = 2 * (key.length + json.length) + ENTRY_OVERHEAD;
    if (bytes > this.options.maxBytes / 8) return;
    const freshUntil = this.options.now() + policy.maxAgeMs;
    const staleUntil = freshUntil + policy.staleIfErrorMs;
    this.entries.set(key, { json, generation, freshUntil, staleUntil, bytes });
    this.size += bytes;
    for (const [oldest, entry] of this.entries) {
      if (this.size <= this.options.maxBytes) break;
      this.drop(oldest, entry);
    }
  }

  /** Of all tenants; what is being fetched now is not kept either. */
  forgetAll(): void {
    this.entries.clear();
    this.generations.clear();
    this.size = 0;
    this.epoch += 1;
  }

  private drop(key: string, entry: Entry): void {
    this.entries.delete(key);
    this.size -= entry.bytes;
  }
}
