import { DomainError } from '@sextant/domain';

export interface DnsAddress {
  kind: 'dns';
  host: string;
  port: number;
  /** `host:port` of the name server to ask; the system's when undefined */
  server: string | undefined;
}

export interface KubernetesAddress {
  kind: 'kubernetes';
  service: string;
  /** the pod's own when undefined */
  namespace: string | undefined;
  /** number of a port of the pods, or its name in the EndpointSlices */
  port: number | string;
}

export type WorkerAddress = { kind: 'list'; addresses: string[] } | DnsAddress | KubernetesAddress;

const HOST_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(\d{1,5})$/;
const DNS = /^dns:\/\/([^/]*)\/(.+)$/;
const KUBERNETES = /^k8s:\/\/\/([a-z0-9-]+)(?:\.([a-z0-9-]+))?(?:\.svc(?:\.[a-z0-9.-]+)?)?:([a-z0-9-]+)$/;

/** What an address must be, for messages. */
export const ADDRESS_FORM =
  'must be host:port (several separated by commas), dns:///name:port or k8s:///service.namespace:port';

export function isWorkerAddress(address: string): boolean {
  try {
    parseWorkerAddress(address);
    return true;
  } catch {
    return false;
  }
}

/** @throws DomainError CONFIG_INVALID when it is none of the three forms */
export function parseWorkerAddress(address: string): WorkerAddress {
  const dns = DNS.exec(address);
  if (dns) {
    const [host, port] = hostAndPort(dns[2] ?? '') ?? refuse(address);
    return { kind: 'dns', host, port, server: dns[1] || undefined };
  }
  const kubernetes = KUBERNETES.exec(address);
  if (kubernetes) {
    const [, service = '', namespace, port = ''] = kubernetes;
    return {
      kind: 'kubernetes',
      service,
      namespace,
      port: /^\d+$/.test(port) ? checked(port, address) : port,
    };
  }
  const addresses = address.split(',').map((part) => part.trim());
  if (addresses.some((part) => !hostAndPort(part))) refuse(address);
  return { kind: 'list', addresses };
}

function hostAndPort(text: string): [host: string, port: number] | undefined {
  const [, host, port] = HOST_PORT.exec(text) ?? [];
  if (host === undefined || !isPort(Number(port))) return undefined;
  return [host, Number(port)];
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function checked(port: string, address: string): number {
  return isPort(Number(port)) ? Number(port) : refuse(address);
}

function refuse(address: string): never {
  throw new DomainError(
    'CONFIG_INVALID',
    `"${address}" is no address of inference workers: it ${ADDRESS_FORM}`,
  );
}
