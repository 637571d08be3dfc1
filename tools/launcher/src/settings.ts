import { resolve } from 'node:path';
import { DomainError } from '@sextant/domain';

export type ProcessName = 'worker' | 'customer' | 'campaign' | 'prediction' | 'trainer' | 'gateway';

/** Ports of one local Sextant. */
export interface Ports {
  gateway: number;
  customer: number;
  campaign: number;
  prediction: number;
  worker: number;
  mongod: number;
  metrics: Record<ProcessName, number>;
}

export interface Settings {
  repositoryRoot: string;
  dataDir: string;
  ports: Ports;
  empty: boolean;
}

const DEFAULT_PORTS: Ports = {
  gateway: 4000,
  customer: 4101,
  campaign: 4102,
  prediction: 4103,
  worker: 50_051,
  mongod: 27_117,
  metrics: { gateway: 9460, customer: 9461, campaign: 9462, prediction: 9463, worker: 9464, trainer: 9465 },
};

/**
 * @param env  SEXTANT_PORT_BASE moves all ports to twelve consecutive ones, SEXTANT_DATA_DIR moves `.data`
 * @throws DomainError CONFIG_INVALID for a port base that leaves no room
 */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  flags: { empty: boolean; repositoryRoot: string },
): Settings {
  const dataDir = resolve(flags.repositoryRoot, env['SEXTANT_DATA_DIR'] || '.data');
  return { ...flags, dataDir, ports: portsFrom(env['SEXTANT_PORT_BASE']) };
}

function portsFrom(base: string | undefined): Ports {
  if (!base) return DEFAULT_PORTS;
  const first = Number(base);
  if (!Number.isInteger(first) || first < 1024 || first > 65_500) {
    throw new DomainError(
      'CONFIG_INVALID',
      `SEXTANT_PORT_BASE must be a whole number from 1024 to 65500, got "${base}"`,
    );
  }
  return {
    gateway: first,
    customer: first + 1,
    campaign: first + 2,
    prediction: first + 3,
    worker: first + 4,
    mongod: first + 5,
    metrics: {
      gateway: first + 6,
      customer: first + 7,
      campaign: first + 8,
      prediction: first + 9,
      worker: first + 10,
      trainer: first + 11,
    },
  };
}

/** Every port that has to be free, with the name of what will stand there. */
export function portList(ports: Ports, withMongod: boolean): [string, number][] {
  const { metrics, mongod, ...services } = ports;
  const metricPorts = Object.entries(metrics).map(([name, port]): [string, number] => [
    `${name} metrics`,
    port,
  ]);
  return [
    ...Object.entries(services),
    ...(withMongod ? [['mongod', mongod] as [string, number]] : []),
    ...metricPorts,
  ];
}
