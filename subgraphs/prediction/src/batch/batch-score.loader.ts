import type { ScoreTask } from '@sextant/artefacts';
import { type CustomerScore, CustomerScores } from '@sextant/batch-scoring';
import type { RequestContext } from '@sextant/platform';
import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';

const MAX_CUSTOMERS = 1_000;

type Loader = DataLoader<string, CustomerScore | null>;

/** The stored scores that one request asks for: one read a task, however many customers. */
@Injectable()
export class BatchScoreLoader {
  private readonly loaders = new WeakMap<RequestContext, Map<ScoreTask, Loader>>();

  constructor(private readonly scores: CustomerScores) {}

  /** Null before a batch job met the customer. */
  load(context: RequestContext, task: ScoreTask, customerId: string): Promise<CustomerScore | null> {
    const byTask = this.loaders.get(context) ?? new Map<ScoreTask, Loader>();
    this.loaders.set(context, byTask);
    const loader = byTask.get(task) ?? this.loaderOf(context.identity.tenantId, task);
    byTask.set(task, loader);
    return loader.load(customerId);
  }

  private loaderOf(tenantId: string, task: ScoreTask): Loader {
    return new DataLoader(
      async (customerIds) => {
        const found = await this.scores.get(tenantId, task, customerIds);
        return customerIds.map((id) => found.get(id) ?? null);
      },
      { batchScheduleFn: (dispatch) => void setImmediate(dispatch), maxBatchSize: MAX_CUSTOMERS },
    );
  }
}
