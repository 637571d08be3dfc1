import type { ModelCard } from '@sextant/artefacts';
import type { RequestContext } from '@sextant/platform';
import type { Stage } from '@sextant/model-registry';
import { Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { ModelReference } from '../decision/decision.js';
import { LoaderRegistry } from '../request-loaders.js';

/** Completes what a decision knows of its model from the registry, for the queries that ask. */
@Resolver('ModelVersion')
export class ModelVersionResolver {
  constructor(private readonly loaders: LoaderRegistry) {}

  /** A version that the registry does not know, or cannot be asked about, is LIVE: the worker serves no other. */
  @ResolveField()
  async stage(@Parent() version: ModelReference, @Context() context: RequestContext): Promise<Stage> {
    if (version.stage !== null) return version.stage;
    const recorded = await this.loaders
      .of(context)
      .versions.load(version.id)
      .catch(() => null);
    return recorded?.stage ?? 'LIVE';
  }

  @ResolveField()
  async card(
    @Parent() version: ModelReference,
    @Context() context: RequestContext,
  ): Promise<ModelCard | null> {
    return (await this.loaders.of(context).versions.load(version.id))?.card ?? null;
  }

  @ResolveField()
  async onnxSha256(
    @Parent() version: ModelReference,
    @Context() context: RequestContext,
  ): Promise<string | null> {
    return (await this.loaders.of(context).versions.load(version.id))?.onnxSha256 ?? null;
  }
}
