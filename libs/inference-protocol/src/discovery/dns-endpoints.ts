import { lookup, Resolver } from 'node:dns/promises';
import type { Discovery, EndpointListener } from './discovery.js';
import type { DnsAddress } from './worker-address.js';

const QUERY_TIMEOUT_MS = 2_000;

/** Every address of a name, looked up again and again. A name that cannot be looked up keeps the addresses known so far. */
export class DnsEndpoints implements Discovery {
  private readonly resolver: Resolver | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly address: DnsAddress,
    private readonly refreshMs: number,
  ) {
    if (address.server === undefined) return;
    this.resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: 1 });
    this.resolver.setServers([address.server]);
  }

  start(listener: EndpointListener): void {
    void this.refresh(listener);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.resolver?.cancel();
  }

  private async refresh(listener: EndpointListener): Promise<void> {
    try {
      const hosts = await this.look();
      if (!this.isClosed) listener.found(hosts.map((host) => addressOf(host, this.address.port)));
    } catch (error) {
      if (!this.isClosed) listener.failed(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.isClosed) return;
    this.timer = setTimeout(() => void this.refresh(listener), this.refreshMs);
    this.timer.unref();
  }

  private async look(): Promise<string[]> {
    const { host } = this.address;
    const { resolver } = this;
    if (!resolver) return (await lookup(host, { all: true })).map(({ address }) => address);
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    throw answers[0].status === 'rejected' ? answers[0].reason : new Error(`${host} has no address`);
  }
}

/** `host:port`, with the brackets that IPv6 numbers need. */
export function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
