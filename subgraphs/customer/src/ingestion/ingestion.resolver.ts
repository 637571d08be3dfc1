import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '@sextant/platform';
import { OutboxRepository } from '../folding/outbox.repository.js';
import { type IngestPayload, IngestionService } from './ingestion.service.js';

interface IngestionStatus {
  pendingBatches: number;
  oldestPendingAt: Date | null;
}

@Resolver()
export class IngestionResolver {
  constructor(
    private readonly ingestion: IngestionService,
    private readonly outbox: OutboxRepository,
  ) {}

  @Query()
  async ingestionStatus(@Context() context: RequestContext): Promise<IngestionStatus> {
    const { batches, oldestAt } = await this.outbox.pendingOf(context.identity.tenantId);
    return { pendingBatches: batches, oldestPendingAt: oldestAt };
  }

  @Mutation()
  ingestEvents(
    @Args('events') events: unknown[],
    @Context() context: RequestContext,
  ): Promise<IngestPayload> {
    return this.ingestion.ingest(context.identity.tenantId, events);
  }
}
