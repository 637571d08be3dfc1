import { Args, Context, Mutation, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '@sextant/platform';
import { type IngestPayload, IngestionService } from './ingestion.service.js';

@Resolver()
export class IngestionResolver {
  constructor(private readonly ingestion: IngestionService) {}

  @Mutation()
  ingestEvents(
    @Args('events') events: unknown[],
    @Context() context: RequestContext,
  ): Promise<IngestPayload> {
    return this.ingestion.ingest(context.identity.tenantId, events);
  }
}
