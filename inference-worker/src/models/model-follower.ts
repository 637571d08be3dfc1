import { isModelName, type ModelRepository, type VersionMark } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { Logger } from 'pino';
import type { UnloadReason } from '../operations/model-metrics.js';
import type { WorkerMetrics } from '../operations/worker-metrics.js';
import { type Desired, desiredOf, routingOf } from './desired-versions.js';
import type { ModelCatalogue } from './model-catalogue.js';
import type { LoadOrder, ModelLoader } from './model-loader.js';
import type { ServedModel } from './served-model.js';
import { shown } from '../transport/shown.js';
import { VersionSlot } from './version-slot.js';

export interface FollowerParts {
  repository: ModelRepository;
  loader: ModelLoader;
  catalogue: ModelCatalogue;
  metrics: WorkerMetrics;
  logger: Logger;
}

/** A refused version is tried again after this long, should its files have been completed since. */
const RETRY_REFUSED_MS = 15_000;
/** What is refused of a model as a whole, such as its serving configuration, is kept under this number. */
const WHOLE_MODEL = 0;

/** Makes the catalogue what the repository wants of a model: versions loaded, traffic moved, the rest retired. */
export class ModelFollower {
  /** one change of a model at a time */
  private readonly turns = new Map<string, Promise<void>>();
  /** stamp of the files that were refused, by `<model>/<version>` */
  private readonly refusedStamps = new Map<string, string>();
  private readonly configurations = new Map<string, Desired>();

  constructor(private readonly parts: FollowerParts) {}

  /** How a model is configured that is followed. */
  desiredOf(model: string): Desired | undefined {
    return this.configurations.get(model);
  }

  /** Never rejects for what is wrong with the model, which is refused by name; rejects when the repository cannot be read. */
  follow(model: string, { retryRefused = false } = {}): Promise<void> {
    return this.inTurn(model, () => {
      if (retryRefused) this.forgetRefused(model);
      return this.update(model);
    });
  }

  /** Takes a model out of service. */
  retire(model: string, reason: UnloadReason = 'retired'): Promise<void> {
    return this.inTurn(model, async () => this.remove(model, reason));
  }

  /**
   * Loads a version that the repository has and does not ask to be served; calls that name it find it then.
   *
   * @throws DomainError MODEL_VERSION_NOT_FOUND and what {@link ModelLoader.load} throws
   */
  open(model: string, version: number): Promise<void> {
    return this.inTurn(model, async () => {
      const { repository, catalogue } = this.parts;
      if (catalogue.slotOf(model, String(version))) return;
      const mark = isModelName(model) ? await repository.findMark(model, version) : null;
      if (mark === null) {
        const message = `model "${shown(model)}" has no version ${version} in the repository`;
        throw new DomainError('MODEL_VERSION_NOT_FOUND', message, { path: 'version' });
      }
      const order = { ...this.orderOf(model, version), isOnDemand: true };
      await this.serve(order, stampOf(mark, order));
    });
  }

  /** Loads the files of a slot that left memory. */
  async reload(slot: VersionSlot): Promise<ServedModel> {
    const { loader, metrics, logger } = this.parts;
    const { isOnDemand } = slot;
    const order = { ...this.orderOf(slot.model, Number(slot.version)), isOnDemand };
    const { served, releaseRoom } = await loader.load(order);
    slot.enterMemory(served);
    releaseRoom();
    metrics.modelLoaded(slot.model, slot.version, served);
    logger.info(
      { model: slot.model, version: slot.version, loadMs: Math.round(served.loadMs) },
      'model version is back in memory',
    );
    return served;
  }

  private forgetRefused(model: string): void {
    for (const name of this.refusedStamps.keys())
      if (name.startsWith(`${model}/`)) this.refusedStamps.delete(name);
  }

  private inTurn(model: string, change: () => Promise<void>): Promise<void> {
    const turn = (this.turns.get(model) ?? Promise.resolve()).catch(() => undefined).then(change);
    const settled = turn
      .catch(() => undefined)
      .finally(() => {
        if (this.turns.get(model) === settled) this.turns.delete(model);
      });
    this.turns.set(model, settled);
    return turn;
  }

  private async update(model: string): Promise<void> {
    const desired = await this.read(model);
    if (desired === null) return;
    if (desired.versions.length === 0 && !this.hasOnDemand(model)) return this.remove(model, 'retired');
    for (const version of desired.versions) await this.ensure(model, version, desired);
    this.configurations.set(model, desired);
    this.moveTraffic(model, desired);
  }

  /** Null when the configuration was refused: the one before stays. */
  private async read(model: string): Promise<Desired | null> {
    const { repository } = this.parts;
    try {
      const entry = await repository.readEntry(model);
      const live = entry.live ?? (await this.newestPlain(model, entry.versions));
      return desiredOf(entry, live);
    } catch (error) {
      this.refuse(model, WHOLE_MODEL, error);
      return null;
    }
  }

  /** A model that no trainer published has no pointer: as in Triton, its newest version serves. */
  private async newestPlain(model: string, versions: readonly number[]): Promise<number | null> {
    for (const version of versions.toReversed()) {
      const mark = await this.parts.repository.findMark(model, version);
      if (mark !== null) return mark.isPlain ? version : null;
    }
    return null;
  }

  private async ensure(model: string, version: number, { serving }: Desired): Promise<void> {
    const { repository, catalogue } = this.parts;
    const mark = await repository.findMark(model, version);
    const slot = catalogue.slotOf(model, String(version));
    const stamp = stampOf(mark, serving);
    if (slot) slot.isOnDemand = false;
    // What was deleted under a version in service leaves it there.
    if (slot && (mark === null || slot.stamp === stamp)) return;
    if (this.wasRefusedLately(model, version, stamp)) return;
    try {
      await this.serve({ model, version, batching: serving.batching, execution: serving.execution }, stamp);
      this.refusedStamps.delete(`${model}/${version}`);
    } catch (error) {
      this.refusedStamps.set(`${model}/${version}`, stamp);
      this.refuse(model, version, error);
    }
  }

  private async serve(order: LoadOrder, stamp: string): Promise<void> {
    const { loader, catalogue, metrics, logger } = this.parts;
    const { model, version } = order;
    const { served, releaseRoom } = await loader.load(order);
    const slot = new VersionSlot(served, stamp, (old, reason) => this.unload(old, reason));
    slot.isOnDemand = order.isOnDemand ?? false;
    catalogue.put(slot);
    releaseRoom();
    metrics.modelLoaded(model, served.version, served);
    const { provider, memoryBytes, loadMs } = served;
    logger.info(
      { model, version, provider, memoryBytes, loadMs: Math.round(loadMs) },
      'model version is loaded',
    );
  }

  private moveTraffic(model: string, desired: Desired): void {
    const { catalogue, metrics, logger } = this.parts;
    const before = catalogue.routingOf(model)?.live ?? null;
    const routing = routingOf(
      desired,
      catalogue.routingOf(model),
      (version) => catalogue.slotOf(model, version) !== undefined,
    );
    catalogue.setRouting(model, routing);
    const kept = new Set(desired.versions.map(String));
    if (routing.live !== null) kept.add(routing.live);
    for (const { version, isOnDemand } of catalogue.slotsOf(model)) if (isOnDemand) kept.add(version);
    catalogue.retain(model, kept, 'replaced');
    catalogue.retainRefusals(model, new Set(desired.versions));
    if (routing.live === before) return;
    if (routing.live === null) metrics.modelRetired(model);
    else metrics.modelServing(model, routing.live);
    logger.info({ model, version: routing.live, before }, 'model version in service');
  }

  private remove(model: string, reason: UnloadReason): void {
    const { catalogue, metrics, logger } = this.parts;
    this.configurations.delete(model);
    this.forgetRefused(model);
    const wasServed = catalogue.slotsOf(model).length > 0;
    catalogue.remove(model, reason);
    if (!wasServed) return;
    metrics.modelRetired(model);
    logger.info({ model, reason }, 'model retired');
  }

  private hasOnDemand(model: string): boolean {
    return this.parts.catalogue.slotsOf(model).some(({ isOnDemand }) => isOnDemand);
  }

  private orderOf(model: string, version: number): LoadOrder {
    const { batching = {}, execution = {} } = this.configurations.get(model)?.serving ?? {};
    return { model, version, batching, execution };
  }

  /** @throws what is no fault of the model: the repository could not be read */
  private refuse(model: string, version: number, error: unknown): void {
    if (
      error instanceof DomainError &&
      error.kind === 'unavailable' &&
      error.code !== 'INFERENCE_UNAVAILABLE'
    )
      throw error;
    const { catalogue, metrics, logger } = this.parts;
    const reason = error instanceof Error ? error.message : String(error);
    const isKnown = catalogue.findRefusal(model, version)?.reason === reason;
    // A configuration is read with every look; it counts once.
    if (isKnown && version === WHOLE_MODEL) return;
    catalogue.refuse(model, { version, reason, at: Date.now() });
    metrics.modelRefused(model);
    const serving = catalogue.routingOf(model)?.live ?? null;
    if (!isKnown) logger.error({ model, version, serving, reason }, 'model version refused');
  }

  private wasRefusedLately(model: string, version: number, stamp: string): boolean {
    const refusal = this.parts.catalogue.findRefusal(model, version);
    if (!refusal || this.refusedStamps.get(`${model}/${version}`) !== stamp) return false;
    return Date.now() - refusal.at < RETRY_REFUSED_MS;
  }

  private unload(old: ServedModel, reason: UnloadReason): void {
    const { loader, metrics, logger } = this.parts;
    const { model, version } = old;
    loader.unload(old).then(
      () => {
        metrics.modelUnloaded(model, version, reason);
        logger.info({ model, version, reason }, 'model version unloaded');
      },
      (error: unknown) => logger.error({ err: error, model, version }, 'model version could not be unloaded'),
    );
  }
}

/** Another stamp means that the version must be loaded anew. */
function stampOf(
  mark: VersionMark | null,
  { batching, execution }: Pick<LoadOrder, 'batching' | 'execution'>,
): string {
  return mark === null ? '' : `${mark.stamp} ${JSON.stringify([batching, execution])}`;
}
