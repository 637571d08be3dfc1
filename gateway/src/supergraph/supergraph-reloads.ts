import type { Logger } from '@sextant/platform';
import { type BuiltEngine, LiveEngines } from './live-engines.js';
import type { SupergraphMetrics } from './supergraph-metrics.js';
import { sha256, type SupergraphSource } from './supergraph-source.js';

export interface ReloadOptions {
  source: SupergraphSource;
  engines: LiveEngines;
  /** throws when the text is none that can be served */
  build(sdl: string): BuiltEngine;
  /** pause between two looks, in milliseconds; 0: never */
  pollMs: number;
  metrics: SupergraphMetrics;
  logger: Logger;
}

/**
 * Looks for a new supergraph and puts it in force when it is valid; whatever goes wrong, the last good one goes on. A fault is
 * logged once, not at every look.
 */
export class SupergraphReloads {
  private timer: NodeJS.Timeout | null = null;
  private isStopped = false;
  private reported = '';
  private isRefused = false;

  constructor(private readonly options: ReloadOptions) {}

  start(): void {
    const { pollMs } = this.options;
    if (pollMs === 0 || this.isStopped) return;
    this.timer = setTimeout(() => void this.look().finally(() => this.start()), pollMs);
    this.timer.unref();
  }

  stop(): void {
    this.isStopped = true;
    if (this.timer) clearTimeout(this.timer);
  }

  /** One look; never rejects. */
  async look(): Promise<void> {
    const { source, metrics } = this.options;
    let sdl: string | null;
    try {
      sdl = await source.read();
    } catch (error) {
      return this.report('unreadable', error);
    }
    if (this.isStopped) return;
    if (sdl !== null) return this.adopt(sdl);
    if (this.reported === '' || this.isRefused) return;
    this.reported = '';
    metrics.readAgain();
  }

  private adopt(sdl: string): void {
    const { engines, build, metrics, logger } = this.options;
    this.isRefused = false;
    try {
      engines.replace(build(sdl));
    } catch (error) {
      this.isRefused = true;
      return this.report('refused', error);
    }
    this.reported = '';
    metrics.loaded(false);
    logger.info({ sha256: sha256(sdl) }, 'a new supergraph is in force');
  }

  private report(outcome: 'refused' | 'unreadable', error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const report = `${outcome} ${reason}`;
    if (report === this.reported) return;
    this.reported = report;
    this.options.metrics.failed(outcome);
    this.options.logger.error(
      { place: this.options.source.place, reason },
      `the new supergraph is ${outcome}; the last good one goes on`,
    );
  }
}
