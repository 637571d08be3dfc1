import { stat } from 'node:fs/promises';
import type { ModelDirectory } from '@sextant/artefacts';
import type { Logger } from 'pino';
import type { WorkerMetrics } from '../operations/worker-metrics.js';
import type { ModelCatalogue } from './model-catalogue.js';
import type { ModelLoader } from './model-loader.js';
import type { ServedModel } from './served-model.js';

export interface WatcherParts {
  directory: ModelDirectory;
  loader: ModelLoader;
  catalogue: ModelCatalogue;
  metrics: WorkerMetrics;
  logger: Logger;
}

/** A refused version is tried again after this long, should its files have been completed since. */
const RETRY_REFUSED_MS = 15_000;

/** Keeps the catalogue equal to what the repository says is live. */
export class RepositoryWatcher {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private scanning: Promise<void> = Promise.resolve();
  private isRootMissing = false;

  constructor(private readonly parts: WatcherParts) {}

  /** Looks once and then again every `pollMs`; the promise is of the first look. */
  async start(pollMs: number): Promise<void> {
    this.scanning = this.scan();
    await this.scanning;
    const again = (): void => {
      if (this.stopped) return;
      this.timer = setTimeout(() => {
        this.scanning = this.scan().finally(again);
      }, pollMs);
    };
    again();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.scanning;
  }

  /** Never rejects: what goes wrong with one model is said in the log, and the others go on. */
  private async scan(): Promise<void> {
    const { directory, catalogue, logger } = this.parts;
    try {
      if (!(await this.rootIsThere())) return;
      const models = await directory.listModels();
      for (const served of catalogue.list()) if (!models.includes(served.model)) this.retire(served.model);
      for (const model of models) if (!this.stopped) await this.follow(model);
    } catch (error) {
      logger.error({ err: error }, 'the model repository cannot be read; what is loaded stays in service');
    }
  }

  /** A repository that disappears as a whole (an unmounted volume) is no reason to stop serving. */
  private async rootIsThere(): Promise<boolean> {
    const { root } = this.parts.directory;
    const isThere = await stat(root).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
    if (!isThere && !this.isRootMissing)
      this.parts.logger.warn({ root }, 'the model repository is not there');
    this.isRootMissing = !isThere;
    return isThere;
  }

  private async follow(model: string): Promise<void> {
    const { directory, catalogue, metrics, logger } = this.parts;
    let version = 0;
    try {
      const live = await directory.findLiveVersion(model);
      if (live === null) return this.retire(model);
      version = live;
      if (catalogue.find(model)?.version === String(version) || this.wasRefusedLately(model, version)) return;
      await this.serve(model, version);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const serving = catalogue.find(model)?.version ?? null;
      catalogue.refuse(model, { version, reason, at: Date.now() });
      metrics.modelRefused(model);
      logger.error({ model, version, serving, reason }, 'model version refused');
    }
  }

  private async serve(model: string, version: number): Promise<void> {
    const { loader, catalogue, metrics, logger } = this.parts;
    const startedAt = performance.now();
    const served = await loader.load(model, version);
    const before = catalogue.find(model)?.version ?? null;
    catalogue.put(served, (old) => this.unload(old));
    metrics.modelServing(model, version);
    logger.info(
      { model, version, before, loadMs: Math.round(performance.now() - startedAt) },
      'model version in service',
    );
  }

  private wasRefusedLately(model: string, version: number): boolean {
    const refusal = this.parts.catalogue.findRefusal(model);
    return refusal?.version === version && Date.now() - refusal.at < RETRY_REFUSED_MS;
  }

  private retire(model: string): void {
    const { catalogue, metrics, logger } = this.parts;
    if (!catalogue.find(model)) return;
    catalogue.remove(model, (old) => this.unload(old));
    metrics.modelRetired(model);
    logger.info({ model }, 'model retired: the repository has no live version of it');
  }

  private unload(old: ServedModel): void {
    const { loader, logger } = this.parts;
    loader.unload(old).then(
      () => logger.debug({ model: old.model, version: old.version }, 'model version unloaded'),
      (error: unknown) =>
        logger.error({ err: error, model: old.model }, 'model version could not be unloaded'),
    );
  }
}
