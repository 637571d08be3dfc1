import { type BatchJob, BatchJobs } from '@sextant/batch-scoring';
import { type Change, ChangeFeed } from '@sextant/change-streams';
import { DecisionRepository, type LoggedDecision } from '@sextant/decision-log';
import { type Challenge, Challenges, type TrainingJob, TrainingJobs } from '@sextant/model-registry';
import { type MonitoringReport, ReportRepository } from '@sextant/monitoring';
import type { Logger } from '@sextant/platform';
import type { BeforeApplicationShutdown, Provider } from '@nestjs/common';

/** Fields of a job that only the process that works on it cares for. */
const OF_THE_LEASE: ReadonlySet<string> = new Set(['leaseToken', 'leaseUntil', 'attempts', 'cursor']);
/** A logged decision is some kilobytes, with all that it was decided on. */
const KEPT_DECISIONS = 500;

export interface FeedParts {
  trainingJobs: TrainingJobs;
  batchJobs: BatchJobs;
  decisions: DecisionRepository;
  reports: ReportRepository;
  challenges: Challenges;
}

/** What subscriptions of this process are fed from: one change stream for each collection, open while somebody listens. */
export class StreamFeeds implements BeforeApplicationShutdown {
  readonly trainingJobs: ChangeFeed<TrainingJob>;
  readonly batchJobs: ChangeFeed<BatchJob>;
  readonly decisions: ChangeFeed<LoggedDecision>;
  readonly reports: ChangeFeed<MonitoringReport>;
  readonly challenges: ChangeFeed<Challenge>;

  constructor({ trainingJobs, batchJobs, decisions, reports, challenges }: FeedParts, logger: Logger) {
    const onProblem = (error: unknown): void =>
      logger.warn({ err: error }, 'a change stream broke; it is opened again');
    const jobs = trainingJobs.watched();
    this.trainingJobs = new ChangeFeed(jobs.collection, { ...jobs, isVisible: isProgress, onProblem });
    const batches = batchJobs.watched();
    this.batchJobs = new ChangeFeed(batches.collection, { ...batches, isVisible: isProgress, onProblem });
    const logged = decisions.watched();
    const isVisible = isNew;
    this.decisions = new ChangeFeed(logged.collection, {
      ...logged,
      isVisible,
      kept: KEPT_DECISIONS,
      onProblem,
    });
    const windows = reports.watched();
    this.reports = new ChangeFeed(windows.collection, { ...windows, isVisible, onProblem });
    const judged = challenges.watched();
    this.challenges = new ChangeFeed(judged.collection, { ...judged, onProblem });
  }

  async beforeApplicationShutdown(): Promise<void> {
    const feeds = [this.trainingJobs, this.batchJobs, this.decisions, this.reports, this.challenges];
    await Promise.all(feeds.map((feed) => feed.close()));
  }
}

function isProgress({ changed }: Change<unknown>): boolean {
  return [...changed].some((field) => !OF_THE_LEASE.has(field));
}

function isNew({ kind }: Change<unknown>): boolean {
  return kind === 'insert';
}

export function streamProviders(logger: Logger): Provider[] {
  type Repositories = [TrainingJobs, BatchJobs, DecisionRepository, ReportRepository, Challenges];
  return [
    {
      provide: StreamFeeds,
      inject: [TrainingJobs, BatchJobs, DecisionRepository, ReportRepository, Challenges],
      useFactory: (...[trainingJobs, batchJobs, decisions, reports, challenges]: Repositories) =>
        new StreamFeeds({ trainingJobs, batchJobs, decisions, reports, challenges }, logger),
    },
  ];
}
