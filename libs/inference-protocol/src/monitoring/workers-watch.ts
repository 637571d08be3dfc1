import { type Discovery, discoveryOf, type DiscoveryOptions } from '../discovery/discovery.js';
import type { WorkerReport } from './monitoring-messages.js';
import { WorkerStream } from './worker-stream.js';

export interface WorkersWatchOptions {
  /** as `INFERENCE_URL`: `host:port` (several separated by commas), `dns:///…` or `k8s:///…` */
  address: string;
  /** 100..300,000 */
  periodMs: number;
  dnsRefreshMs?: number;
  kubernetes?: DiscoveryOptions['kubernetes'];
  maxMessageBytes?: number;
  /** The next report of the worker waits for it; where it rejects the worker tells everything again. */
  onReport(report: WorkerReport, address: string): Promise<void>;
  /** a worker cannot be heard, a report was not taken, or the look-up of workers failed; each is tried again */
  onProblem?(error: Error, address: string | null): void;
}

/** A worker as it is found, and whether it is heard of. */
export interface WatchedWorker {
  address: string;
  isOpen: boolean;
  /** epoch milliseconds; null before the first report */
  heardAt: number | null;
}

const DNS_REFRESH_MS = 5_000;
/** A sketch of the widest version that a worker counts stays well below. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Hears `Monitoring/Watch` of every worker behind an address, those that come later included. */
export class WorkersWatch {
  private readonly streams = new Map<string, WorkerStream>();
  private readonly leaving = new Set<Promise<void>>();
  private readonly discovery: Discovery;

  /** @throws DomainError CONFIG_INVALID when the address is none */
  constructor(private readonly options: WorkersWatchOptions) {
    this.discovery = discoveryOf(options.address, {
      dnsRefreshMs: options.dnsRefreshMs ?? DNS_REFRESH_MS,
      kubernetes: options.kubernetes ?? {},
    });
    this.discovery.start({
      found: (addresses) => this.replace(addresses),
      failed: (error) => options.onProblem?.(error, null),
    });
  }

  list(): WatchedWorker[] {
    return [...this.streams].map(([address, { isOpen, heardAt }]) => ({ address, isOpen, heardAt }));
  }

  /** Settles when every report in hand is done. */
  async close(): Promise<void> {
    this.discovery.close();
    this.replace([]);
    await Promise.all(this.leaving);
  }

  private replace(addresses: readonly string[]): void {
    const wanted = new Set(addresses);
    for (const [address, stream] of [...this.streams]) {
      if (wanted.has(address)) continue;
      this.streams.delete(address);
      const left = stream.close().finally(() => this.leaving.delete(left));
      this.leaving.add(left);
    }
    for (const address of wanted)
      if (!this.streams.has(address)) this.streams.set(address, this.open(address));
  }

  private open(address: string): WorkerStream {
    const { periodMs, maxMessageBytes = MAX_MESSAGE_BYTES, onReport, onProblem } = this.options;
    return new WorkerStream({
      address,
      periodMs,
      maxMessageBytes,
      onReport: (report) => onReport(report, address),
      onProblem: (error) => onProblem?.(error, address),
    });
  }
}
