const MOST_PAUSED = 1_000;

/** What one tenant has waiting, and how much time its rows were given. */
interface Account {
  entries: number;
  bytes: number;
  /** virtual time, in milliseconds of compute */
  served: number;
}

/**
 * Fair shares of time between tenants by start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): whoever was given least
 * goes first, and a tenant that comes back after a pause has saved nothing up.
 */
export class TenantAccounts {
  private readonly accounts = new Map<string, Account>();
  /** where tenants stood that have nothing waiting while others have */
  private readonly paused = new Map<string, number>();
  private virtualNow = 0;
  private waitingBytes = 0;

  /** Bytes that wait, of all tenants. */
  get bytes(): number {
    return this.waitingBytes;
  }

  /** Tenants that have rows waiting. */
  get active(): number {
    return this.accounts.size;
  }

  bytesOf(tenant: string): number {
    return this.accounts.get(tenant)?.bytes ?? 0;
  }

  /** Virtual time of a tenant; the least goes first. */
  servedOf(tenant: string): number {
    const served = this.accounts.get(tenant)?.served ?? this.paused.get(tenant) ?? 0;
    return Math.max(served, this.accounts.has(tenant) ? 0 : this.virtualNow);
  }

  arrived(tenant: string, bytes: number): void {
    let account = this.accounts.get(tenant);
    if (!account) {
      account = { entries: 0, bytes: 0, served: this.servedOf(tenant) };
      this.accounts.set(tenant, account);
      this.paused.delete(tenant);
    }
    account.entries += 1;
    account.bytes += bytes;
    this.waitingBytes += bytes;
  }

  left(tenant: string, bytes: number): void {
    const account = this.accounts.get(tenant);
    if (!account) return;
    account.entries -= 1;
    account.bytes -= bytes;
    this.waitingBytes -= bytes;
    if (account.entries === 0) this.pause(tenant, account.served);
  }

  /** Rows of a tenant are taken that cost about `ms`. */
  charge(tenant: string, ms: number): void {
    const account = this.accounts.get(tenant);
    if (!account) return;
    this.virtualNow = Math.max(this.virtualNow, account.served);
    account.served += ms;
  }

  private pause(tenant: string, served: number): void {
    this.accounts.delete(tenant);
    this.paused.set(tenant, served);
    if (this.accounts.size > 0 && this.paused.size <= MOST_PAUSED) return;
    // Nobody waits, or too many are remembered: who is behind the virtual time needs no memory.
    if (this.accounts.size === 0) this.virtualNow = Math.max(this.virtualNow, ...this.paused.values());
    for (const [each, at] of this.paused) if (at <= this.virtualNow) this.paused.delete(each);
  }
}
