import { DnsEndpoints } from './dns-endpoints.js';
import { type KubernetesAccess, KubernetesApi } from './kubernetes-api.js';
import { KubernetesEndpoints } from './kubernetes-endpoints.js';
import { parseWorkerAddress } from './worker-address.js';

export interface EndpointListener {
  /** every `host:port` there is now */
  found(addresses: readonly string[]): void;
  /** the look-up failed; it is tried again */
  failed(error: Error): void;
}

/** Finds the workers of a pool and keeps finding them until it is closed. */
export interface Discovery {
  start(listener: EndpointListener): void;
  close(): void;
}

export interface DiscoveryOptions {
  dnsRefreshMs: number;
  kubernetes: Partial<KubernetesAccess>;
}

/** @throws DomainError CONFIG_INVALID when the address is none */
export function discoveryOf(address: string, { dnsRefreshMs, kubernetes }: DiscoveryOptions): Discovery {
  const parsed = parseWorkerAddress(address);
  switch (parsed.kind) {
    case 'list':
      return { start: (listener) => listener.found(parsed.addresses), close: () => undefined };
    case 'dns':
      return new DnsEndpoints(parsed, dnsRefreshMs);
    case 'kubernetes':
      return new KubernetesEndpoints(parsed, new KubernetesApi(kubernetes));
  }
}
