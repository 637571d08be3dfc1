import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Gate, Manifest, ModelRepository } from '@sextant/artefacts';
import { type Clock, DomainError } from '@sextant/domain';
import {
  fetchModelFile,
  type ImportClaim,
  type ImportedModel,
  importModel,
  type ImportOrder,
  type ModelImport,
  ModelImports,
  ModelUploads,
  type SourceLimits,
  type TrialLimits,
} from '@sextant/model-import';
import type { ModelPolicies } from '@sextant/model-registry';
import { asDomainError, type Logger } from '@sextant/platform';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModelStore } from '../model/model-store.js';

/** Below the time that the gateway gives a subgraph. */
const ANSWER_WITHIN_MS = 8_000;
const POLL_MS = 100;
/** Each takes a trial's memory. */
const MAX_RUNNING = 1;
const MAX_WAITING = 8;
const RETRY_AFTER_MS = 10_000;
/** Versions among which one is looked for that a dead process published and did not record. */
const LATEST = 5;

export interface ImportLimits {
  source: SourceLimits;
  trial: TrialLimits;
}

interface ImportStores {
  imports: ModelImports;
  uploads: ModelUploads;
  models: ModelStore;
  policies: ModelPolicies;
}

interface Asked {
  idempotencyKey: string;
  /** subject of the token */
  by: string;
}

/** Imports of this process: one trial at a time, each recorded under its idempotency key. */
@Injectable()
export class ModelImportService implements OnModuleInit {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly stores: ImportStores,
    private readonly limits: ImportLimits,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    await Promise.all([this.stores.imports.ensureIndexes(), this.stores.uploads.ensureIndexes()]);
  }

  find(tenantId: string, id: string): Promise<ModelImport | null> {
    return this.stores.imports.find(tenantId, id);
  }

  /**
   * Makes an import, or tells of the one that was made under this key; RUNNING where it takes longer than 8 s.
   *
   * @throws DomainError IDEMPOTENCY_CONFLICT, QUEUE_FULL, MODEL_REPOSITORY_UNSET
   */
  async import(order: ImportOrder, { idempotencyKey, by }: Asked): Promise<ModelImport> {
    void this.stores.models.repository;
    if (this.waiting.length >= MAX_WAITING) {
      throw new DomainError('QUEUE_FULL', `${MAX_WAITING} imports wait already; try again in a while`, {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    const { id, claim } = await this.stores.imports.begin(order, idempotencyKey);
    if (claim) void this.inTurn(() => this.make(order, claim, by));
    return this.settled(order.tenantId, id);
  }

  private async settled(tenantId: string, id: string): Promise<ModelImport> {
    const deadline = performance.now() + ANSWER_WITHIN_MS;
    for (;;) {
      const found = await this.stores.imports.find(tenantId, id);
      if (!found) throw new DomainError('STORE_UNAVAILABLE', 'the import could not be read; ask again');
      if (found.state !== 'RUNNING' || performance.now() > deadline) return found;
      await pause(POLL_MS);
    }
  }

  private async inTurn(work: () => Promise<void>): Promise<void> {
    if (this.running >= MAX_RUNNING) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.running += 1;
    try {
      await work();
    } catch (error) {
      this.logger.error({ err: error }, 'an import could not be recorded');
    } finally {
      this.running -= 1;
      this.waiting.shift()?.();
    }
  }

  private async make(order: ImportOrder, claim: ImportClaim, by: string): Promise<void> {
    const { imports } = this.stores;
    try {
      const { checks, imported } = await importModel(order, {
        fetch: (of) => this.fetch(of),
        limits: this.limits.trial,
        now: () => this.clock.now(),
      });
      if (imported === null) await imports.finish(claim, { state: 'REFUSED', checks });
      else {
        const versionId = await this.publish(imported, by);
        await imports.finish(claim, { state: 'SUCCEEDED', checks, versionId });
      }
      // A tenant may have few uploads open, and whoever puts a refused file right sends another one.
      if ('uploadId' in order.source) await this.stores.uploads.drop(order.tenantId, order.source.uploadId);
    } catch (error) {
      const known = asDomainError(error);
      if (!known) this.logger.error({ err: error, importId: claim.id }, 'an import failed');
      const { code, message } = known ?? {
        code: 'IMPORT_LOST' as const,
        message: 'the import failed for a reason of our own; it was logged',
      };
      await imports.finish(claim, { state: 'FAILED', failure: { code, message } });
    }
  }

  private fetch({ tenantId, source }: ImportOrder): Promise<Uint8Array> {
    if ('uploadId' in source) return this.stores.uploads.read(tenantId, source.uploadId);
    return fetchModelFile(tenantId, source.url, this.limits.source);
  }

  /** @returns the version's id */
  private async publish(
    { draft, files, card, gates, importance }: ImportedModel,
    by: string,
  ): Promise<string> {
    const { repository, lifecycle } = this.stores.models;
    const manifest =
      (await findPublished(repository, { draft, card })) ?? (await repository.publish(draft, files, card));
    const { protectedTraits } = await this.stores.policies.find(draft.tenantId, draft.spec.task);
    const all = [...gates, fairnessGate(protectedTraits)];
    const findings = { gates: all, origin: 'IMPORTED' as const, importance, by };
    return (await lifecycle.register(manifest, card, findings)).id;
  }
}

/** The rows of a sample tell nobody's group. */
function fairnessGate(protectedTraits: readonly string[]): Gate {
  const isNamed = protectedTraits.length > 0;
  return {
    name: 'fairness',
    required: 'no gap between the groups of protected traits',
    observed: isNamed
      ? `not measured for ${protectedTraits.join(', ')}: measure it where the model was made, and say so in the override`
      : 'does not apply: the policy of the task names no protected trait',
    passed: !isNamed,
  };
}

/** The same import: asked for under another key, or published by a process that died before it was recorded. */
async function findPublished(
  repository: ModelRepository,
  { draft, card }: Pick<ImportedModel, 'draft' | 'card'>,
): Promise<Manifest | null> {
  const versions = await repository.listVersions(draft.model);
  for (const version of versions.slice(-LATEST).reverse()) {
    const manifest = await repository.readManifest(draft.model, version).catch(() => null);
    const isSame =
      manifest?.dataSha256 === draft.dataSha256 &&
      isDeepStrictEqual(manifest.imported, draft.imported) &&
      isDeepStrictEqual(manifest.spec, draft.spec);
    if (isSame && isDeepStrictEqual(await repository.readCard(draft.model, version), card)) return manifest;
  }
  return null;
}
