import { type Clock, systemClock } from '@sextant/domain';
import { WorkersWatch, type WorkerReport } from '@sextant/inference-protocol';
import {
  HOUR_MS,
  MINUTE_MS,
  NO_SHADOW,
  type SketchRecord,
  type SketchRepository,
  TRAFFIC_ROLES,
  type TrafficRepository,
  type TrafficSlot,
  type UncountedVersions,
} from '@sextant/monitoring';
import type { Logger } from 'pino';

export interface CollectorParts {
  sketches: Pick<SketchRepository, 'record'>;
  traffic: Pick<TrafficRepository, 'record'>;
  uncounted: Pick<UncountedVersions, 'record'>;
  logger: Logger;
  /** told of each report that was stored */
  onReport?(): void;
  /** told when a worker could not be heard, or the workers could not be looked up */
  onProblem?(): void;
  clock?: Clock;
}

export interface CollectorOptions {
  /** as `INFERENCE_URL` */
  address: string;
  periodMs: number;
}

/** `<tenant>.<task>`; models of other names are of nobody whose decisions could be watched. */
const TENANT_MODEL = /^([a-z0-9-]+)\.[a-z]+$/;
/** Problems of one worker are told again after so long. */
const TOLD_FOR_MS = 60_000;

/**
 * Stores what every worker counts. What workers tell are running totals that the store keeps the largest of, so several collectors, messages
 * that come twice and streams that begin anew change nothing.
 */
export class Collector {
  private watch: WorkersWatch | null = null;
  private readonly stopping = new AbortController();
  private readonly told = new Map<string, number>();

  constructor(
    private readonly parts: CollectorParts,
    private readonly options: CollectorOptions,
  ) {}

  /** Collects until {@link stop}. */
  async run(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    const stopped = new Promise<void>((resolve) =>
      this.stopping.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    this.watch = new WorkersWatch({
      ...this.options,
      onReport: (report) => this.store(report),
      onProblem: (error, address) => this.problem(error, address),
    });
    await stopped;
    await this.watch.close();
  }

  stop(): void {
    this.stopping.abort();
  }

  /** Workers that were found, and those of them that are heard of now. */
  workers(): { found: number; open: number } {
    const all = this.watch?.list() ?? [];
    return { found: all.length, open: all.filter(({ isOpen }) => isOpen).length };
  }

  private async store(report: WorkerReport): Promise<void> {
    const { sketches, traffic, uncounted, clock = systemClock } = this.parts;
    await Promise.all([
      sketches.record(sketchesOf(report)),
      traffic.record(slotsOf(report)),
      uncounted.record(
        report.uncounted.flatMap(({ reason, ...of }) =>
          ownedBy(of).map((version) => ({ ...version, reason })),
        ),
        clock.now(),
      ),
    ]);
    this.parts.onReport?.();
  }

  private problem(error: Error, address: string | null): void {
    this.parts.onProblem?.();
    const who = address ?? 'discovery';
    const now = (this.parts.clock ?? systemClock).now().getTime();
    if (now - (this.told.get(who) ?? -Infinity) < TOLD_FOR_MS) return;
    this.told.set(who, now);
    const [worker, reason] = [address ?? this.options.address, error.message.slice(0, 300)];
    this.parts.logger.warn({ worker, reason }, 'a worker is not heard of; its counts come when it is again');
  }
}

interface Owned {
  tenantId: string;
  model: string;
  version: number;
}

/** One entry, or none for a model that belongs to no tenant. */
function ownedBy({ model, version }: { model: string; version: string }): Owned[] {
  const tenantId = TENANT_MODEL.exec(model)?.[1];
  const number = Number(version);
  return tenantId === undefined || !Number.isInteger(number) ? [] : [{ tenantId, model, version: number }];
}

function sketchesOf({ worker, counts }: WorkerReport): SketchRecord[] {
  return counts.flatMap(({ hour, rows, sketch, ...of }) =>
    ownedBy(of).map((version) => ({ ...version, hour: new Date(hour * HOUR_MS), worker, rows, sketch })),
  );
}

function slotsOf({ worker, traffic }: WorkerReport): TrafficSlot[] {
  return traffic.flatMap((slot) =>
    ownedBy(slot).map((version) => ({
      ...version,
      minute: new Date(slot.minute * MINUTE_MS),
      worker,
      role: TRAFFIC_ROLES.find((role) => role === slot.role) ?? 'other',
      calls: slot.calls,
      failures: slot.failures,
      rejected: slot.rejected,
      latency: { boundsMs: slot.latencyBoundsMs, counts: slot.latencyCounts, sumMs: slot.latencySumMs },
      batches: slot.batches,
      rows: slot.rows,
      computeMs: slot.computeMs,
      shadow: slot.shadow ?? NO_SHADOW,
    })),
  );
}
