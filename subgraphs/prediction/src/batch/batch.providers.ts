import { BatchJobs, CustomerScores } from '@sextant/batch-scoring';
import type { Clock } from '@sextant/domain';
import type { InjectionToken, Provider } from '@nestjs/common';
import type { Db } from 'mongodb';
import { BatchJobResolver } from './batch-job.resolver.js';
import { BatchScoreLoader } from './batch-score.loader.js';
import { BatchScoreResolver, CustomerBatchScoreResolver } from './batch-score.resolver.js';

/** Whose indexes the process makes when it starts. */
export const BATCH_REPOSITORIES = [BatchJobs, CustomerScores] as const;

/** What the graph needs to ask for batch jobs and to read what they wrote. */
export function batchProviders(database: InjectionToken, clock: Clock): Provider[] {
  return [
    { provide: BatchJobs, inject: [database], useFactory: (db: Db) => new BatchJobs(db, clock) },
    { provide: CustomerScores, inject: [database], useFactory: (db: Db) => new CustomerScores(db) },
    BatchScoreLoader,
    BatchJobResolver,
    BatchScoreResolver,
    CustomerBatchScoreResolver,
  ];
}
