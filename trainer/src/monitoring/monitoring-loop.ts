import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@sextant/domain';
import {
  type CountedVersion,
  HOUR_MS,
  type MonitoringReport,
  type ReportRepository,
  type SketchRepository,
  type Window,
} from '@sextant/monitoring';
import type { Logger } from 'pino';
import type { StoreLease } from '../store-lease.js';
import type { WindowReports } from './window-report.js';

export interface LoopParts {
  lease: Pick<StoreLease, 'hold' | 'release'>;
  sketches: Pick<SketchRepository, 'listCounted'>;
  reports: Pick<ReportRepository, 'has' | 'insert'>;
  windowReports: Pick<WindowReports, 'report'>;
  logger: Logger;
  clock: Clock;
  /** told of each report that was stored by this process */
  onReport?(report: MonitoringReport): void;
  onRound?(outcome: 'ok' | 'failed'): void;
}

export interface LoopOptions {
  windowHours: number;
  /** pause between two looks */
  roundMs: number;
}

/** Workers tell every few seconds, and streams that broke begin anew: by then a closed window's counts have come. */
const LATE_MS = 2 * 60_000;
/** For so long counts of a worker that was not heard of may still come. */
const LOOKED_AT_FOR_MS = HOUR_MS;
/** Windows that are made up for after nobody looked. */
const WINDOWS_BACK = 7;

/** One report a version and window, once the window is closed: by one trainer of several, and by the next one where that ends in between. */
export class MonitoringLoop {
  private readonly stopping = new AbortController();
  /** ends of windows whose every version has its report, or needs none */
  private readonly done = new Set<number>();

  constructor(
    private readonly parts: LoopParts,
    private readonly options: LoopOptions,
  ) {}

  /** Works until {@link stop}; what fails is told and tried again with the next round. */
  async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.round();
      await sleep(this.options.roundMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
    await this.parts.lease.release().catch(() => undefined);
  }

  stop(): void {
    this.stopping.abort();
  }

  /** One look at every closed window. @returns the reports that were made */
  async round(): Promise<MonitoringReport[]> {
    const made: MonitoringReport[] = [];
    try {
      const isWhole = (await this.parts.lease.hold()) ? await this.look(made) : true;
      this.parts.onRound?.(isWhole ? 'ok' : 'failed');
    } catch (error) {
      this.parts.onRound?.('failed');
      this.parts.logger.error({ err: error }, 'what workers counted could not be looked at');
    }
    return made;
  }

  private async look(made: MonitoringReport[]): Promise<boolean> {
    let isWhole = true;
    const now = this.parts.clock.now();
    for (const window of closedWindows(now, this.options.windowHours)) {
      if (this.done.has(window.to.getTime())) continue;
      const isDone = await this.lookAt(window, made);
      const isOver = now.getTime() - window.to.getTime() >= LOOKED_AT_FOR_MS;
      if (isDone && isOver) this.done.add(window.to.getTime());
      isWhole &&= isDone;
    }
    return isWhole;
  }

  /** @returns whether every version has its report */
  private async lookAt(window: Window, made: MonitoringReport[]): Promise<boolean> {
    const { sketches, reports, lease, logger } = this.parts;
    let isDone = true;
    for (const counted of await sketches.listCounted(window)) {
      if (this.stopping.signal.aborted || !(await lease.hold())) return false;
      if (await reports.has({ ...counted, window })) continue;
      try {
        await this.report(counted, window, made);
      } catch (error) {
        isDone = false;
        const { model, version } = counted;
        logger.error({ err: error, model, version, window }, 'a window of a version could not be analysed');
      }
    }
    return isDone;
  }

  private async report(counted: CountedVersion, window: Window, made: MonitoringReport[]): Promise<void> {
    const report = await this.parts.windowReports.report(counted, window);
    if (report === null || !(await this.parts.reports.insert(report))) return;
    made.push(report);
    this.parts.onReport?.(report);
    const { model, version, verdict, findings, rowsSeen } = report;
    const fields = { model, version, window, rowsSeen, findings: findings.map(({ sentence }) => sentence) };
    if (findings.length > 0) this.parts.logger.warn(fields, verdict);
    else this.parts.logger.info(fields, verdict);
  }
}

/** The last windows that are over, oldest first. They begin at multiples of their length since 1970, UTC: of 24 hours, at midnight. */
export function closedWindows(now: Date, windowHours: number): Window[] {
  const lengthMs = windowHours * HOUR_MS;
  const end = Math.floor((now.getTime() - LATE_MS) / lengthMs) * lengthMs;
  return Array.from({ length: WINDOWS_BACK }, (_, i) => {
    const to = end - (WINDOWS_BACK - 1 - i) * lengthMs;
    return { from: new Date(to - lengthMs), to: new Date(to) };
  });
}
