import { addressOf } from './dns-endpoints.js';

/** What of a discovery.k8s.io/v1 EndpointSlice matters here. */
export interface EndpointSlice {
  metadata: { name: string; resourceVersion?: string };
  addressType?: string;
  endpoints?: { addresses?: string[]; conditions?: { ready?: boolean; terminating?: boolean } }[] | null;
  ports?: { name?: string; port?: number }[] | null;
}

export interface EndpointSliceList {
  metadata?: { resourceVersion?: string; continue?: string };
  items?: EndpointSlice[];
}

export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: EndpointSlice }
  | { type: 'ERROR'; object: { code?: number; message?: string } };

/**
 * `host:port` of each pod that is ready and not terminating, sorted, each once. A condition that is absent counts as the API says: ready
 * unless told otherwise. Of a service with both kinds of addresses the IPv4 ones are taken, since both lead to the same pods.
 *
 * @param port  number of the pods' port, or its name
 */
export function readyAddresses(slices: Iterable<EndpointSlice>, port: number | string): string[] {
  const byType = new Map<string, Set<string>>([
    ['IPv4', new Set()],
    ['IPv6', new Set()],
  ]);
  for (const slice of slices) {
    const addresses = byType.get(slice.addressType ?? '');
    const number = typeof port === 'number' ? port : slice.ports?.find(({ name }) => name === port)?.port;
    if (!addresses || number === undefined) continue;
    for (const { addresses: [host] = [], conditions } of slice.endpoints ?? []) {
      const isReady = conditions?.ready !== false && conditions?.terminating !== true;
      if (host !== undefined && isReady) addresses.add(addressOf(host, number));
    }
  }
  const [ipv4 = new Set<string>(), ipv6 = new Set<string>()] = byType.values();
  return [...(ipv4.size > 0 ? ipv4 : ipv6)].sort();
}
