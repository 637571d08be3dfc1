import { type RequestContext, withUserErrors } from '@sextant/platform';
import { Args, Context, Mutation, Resolver } from '@nestjs/graphql';
import { ImportResolver } from '../import/import.resolver.js';

type First<Method extends (...args: never[]) => unknown> = Parameters<Method>[0];

/** Like {@link PayloadResolver}, of imports and uploads. */
@Resolver()
export class ImportPayloadResolver {
  constructor(private readonly imports: ImportResolver) {}

  @Mutation()
  startModelImport(
    @Args('input') input: First<ImportResolver['importModel']>,
    @Context() context: RequestContext,
  ) {
    return withUserErrors('modelImport', async () => this.imports.importModel(input, context));
  }

  @Mutation()
  startModelUpload(
    @Args('input') input: First<ImportResolver['beginModelUpload']>,
    @Context() context: RequestContext,
  ) {
    return withUserErrors('upload', async () => this.imports.beginModelUpload(input, context));
  }

  @Mutation()
  addModelUploadPart(
    @Args('input') input: First<ImportResolver['appendModelUpload']>,
    @Context() context: RequestContext,
  ) {
    return withUserErrors('upload', async () => this.imports.appendModelUpload(input, context));
  }
}
