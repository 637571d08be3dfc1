import type { ScoreTask } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  checkMapping,
  type ModelImport,
  type ModelUpload,
  ModelUploads,
  parseImportOrder,
} from '@sextant/model-import';
import type { ModelVersion } from '@sextant/model-registry';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { checkText } from '../input-checks.js';
import { LoaderRegistry } from '../request-loaders.js';
import { ModelImportService } from './model-import.service.js';

const HORIZONS: Readonly<Record<ScoreTask, number>> = { lead: 30, churn: 30, purchase: 7 };

interface ImportModelInput {
  task: ScoreTask;
  source: { url?: string | null; uploadId?: string | null };
  output?: object | null;
  horizonDays?: number | null;
  tolerance?: number | null;
  card?: Record<string, unknown> | null;
  idempotencyKey: string;
}

@Resolver('ModelImport')
export class ImportResolver {
  constructor(
    private readonly imports: ModelImportService,
    private readonly uploads: ModelUploads,
    private readonly loaders: LoaderRegistry,
  ) {}

  @Query()
  modelImport(@Args('id') id: string, @Context() { identity }: RequestContext): Promise<ModelImport | null> {
    return this.imports.find(identity.tenantId, checkText(id, 'id'));
  }

  @Mutation()
  importModel(
    @Args('input') input: ImportModelInput,
    @Context() { identity }: RequestContext,
  ): Promise<ModelImport> {
    const { idempotencyKey, source, output, tolerance, card, ...rest } = input;
    const order = parseImportOrder({
      ...rest,
      tenantId: identity.tenantId,
      source: sourceOf(source),
      output: output ?? {},
      horizonDays: input.horizonDays ?? HORIZONS[input.task],
      tolerance: tolerance ?? undefined,
      card: Object.fromEntries(Object.entries(card ?? {}).filter(([, value]) => value !== null)),
    });
    checkMapping(order);
    const key = checkText(idempotencyKey, 'input.idempotencyKey');
    return this.imports.import(order, { idempotencyKey: key, by: identity.subject });
  }

  @Mutation()
  beginModelUpload(
    @Args('input') { bytes, idempotencyKey }: { bytes: number; idempotencyKey?: string | null },
    @Context() { identity }: RequestContext,
  ): Promise<ModelUpload> {
    const key = idempotencyKey == null ? null : checkText(idempotencyKey, 'input.idempotencyKey');
    return this.uploads.begin(identity.tenantId, bytes, key);
  }

  @Mutation()
  appendModelUpload(
    @Args('input') { uploadId, part, data }: { uploadId: string; part: number; data: string },
    @Context() { identity }: RequestContext,
  ): Promise<ModelUpload> {
    const id = checkText(uploadId, 'input.uploadId');
    return this.uploads.append(identity.tenantId, id, { part, data: Buffer.from(data, 'base64') });
  }

  @ResolveField()
  async version(
    @Parent() { versionId }: ModelImport,
    @Context() context: RequestContext,
  ): Promise<ModelVersion | null> {
    return versionId === null ? null : this.loaders.of(context).versions.load(versionId);
  }
}

function sourceOf({ url, uploadId }: ImportModelInput['source']): { url: string } | { uploadId: string } {
  if (url && !uploadId) return { url };
  if (uploadId && !url) return { uploadId };
  throw new DomainError('INVALID_INPUT', 'source needs either a url or an uploadId', {
    path: 'input.source',
  });
}
