import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { DomainError } from '@sextant/domain';
import {
  type ClaimedJob,
  type JobFailure,
  type Lease,
  modelVersionId,
  type TrainingJob,
  type TrainingJobs,
} from '@sextant/model-registry';
import { type BudgetLeft, budgetUsed, type ComputeBudget } from './compute-budget.js';
import { HeardProgress, logLine } from './heard-progress.js';
import type { Publisher } from './publisher.js';
import type { Published, TrainingMessage, TrainingOrder } from './training-messages.js';

const HEARTBEAT_MS = 2_000;

interface Outcome {
  published?: Published;
  failure?: JobFailure;
  heard: HeardProgress;
}

interface Run {
  order: TrainingOrder;
  lease: Lease;
  deadlineMs: number;
  /** why it ends then */
  whenOver: JobFailure;
}

/** Takes training jobs off the queue, one at a time, and runs each in a process of its own. */
export class JobRunner {
  private readonly stopping = new AbortController();

  constructor(
    private readonly jobs: TrainingJobs,
    private readonly publisher: Publisher,
    private readonly settings: {
      pollMs: number;
      processPath: string;
      logger: Logger;
      /** where trainings are limited */
      budget?: Pick<ComputeBudget, 'left'>;
    },
  ) {}

  /** Works until {@link stop}; a store that is away is waited for. */
  async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const claimed = await this.jobs.claim().catch((error: unknown) => this.missed(error));
      if (claimed) await this.work(claimed).catch((error: unknown) => this.missed(error));
      else
        await sleep(this.settings.pollMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  /** The job in hand goes back to the queue. */
  stop(): void {
    this.stopping.abort();
  }

  private missed(error: unknown): null {
    this.settings.logger.error({ err: error }, 'the queue of training jobs could not be used');
    return null;
  }

  private async work({ job, lease }: ClaimedJob): Promise<void> {
    if (job.modelVersionId !== null && (await this.publisher.isRecorded(job.tenantId, job.modelVersionId))) {
      await this.rollOut(lease, job, job.modelVersionId);
      return;
    }
    const left = (await this.settings.budget?.left(job.tenantId, job.task)) ?? null;
    if (left && left.minutes <= 0) {
      await this.jobs.fail(lease, budgetUsed(left, job.task));
      return;
    }
    this.settings.logger.info({ job: job.id, task: job.task, tenantId: job.tenantId }, 'training starts');
    const child = fork(this.settings.processPath, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const { tenantId, task, seed, dataFrom, dataTo } = job;
    const period = { dataFrom: dataFrom?.toISOString() ?? null, dataTo: dataTo?.toISOString() ?? null };
    const order: TrainingOrder = { tenantId, task, seed, ...period };
    const outcome = await this.follow(child, { order, lease, ...endOf(job, left) });
    if (this.stopping.signal.aborted && !outcome.published) {
      await this.jobs.release(lease);
      return;
    }
    await this.conclude({ job, lease }, outcome);
  }

  private async conclude({ job, lease }: ClaimedJob, { published, failure, heard }: Outcome): Promise<void> {
    const last = published ? 'recording the version' : `failed: ${failure?.message ?? 'no reason was given'}`;
    const held = await this.jobs.report(lease, { step: last, log: [...heard.takeLines(), logLine(last)] });
    if (published && held) {
      await this.bringIntoService({ job, lease }, published);
      return;
    }
    await this.jobs.fail(
      lease,
      failure ?? {
        code: 'TRAINING_CANCELLED',
        message: 'the job was cancelled before the version went live',
      },
    );
  }

  /** From here on a trainer that takes the job up again does not train again: the version is there, and is brought into service once. */
  private async bringIntoService({ job, lease }: ClaimedJob, published: Published): Promise<void> {
    const versionId = modelVersionId(published.model, published.version);
    if (!(await this.jobs.attach(lease, versionId))) return;
    try {
      await this.publisher.register(published);
    } catch (error) {
      await this.refused(lease, error);
      return;
    }
    await this.rollOut(lease, job, versionId);
  }

  /** A job that was cancelled meanwhile leaves its version where it is. */
  private async rollOut(lease: Lease, job: TrainingJob, versionId: string): Promise<void> {
    if (!(await this.jobs.report(lease, { step: 'going through the gates' }))) return;
    try {
      const { said, isLive } = await this.publisher.rollOut(job.tenantId, versionId);
      await this.jobs.report(lease, { step: isLive ? 'live' : 'not live', log: [logLine(said)] });
      await this.jobs.succeed(lease, versionId);
      this.settings.logger.info({ job: job.id, version: versionId, isLive }, said);
    } catch (error) {
      await this.refused(lease, error);
    }
  }

  /** What will not be better the next time fails the job with its reason; an outage leaves it to the next attempt. */
  private async refused(lease: Lease, error: unknown): Promise<void> {
    if (!(error instanceof DomainError) || error.kind === 'unavailable') throw error;
    const { code, message } = error;
    await this.jobs.report(lease, { log: [logLine(`failed: ${message}`)] });
    await this.jobs.fail(lease, { code, message });
  }

  /** Relays progress and renews the lease until the process ends; a lost lease or a passed deadline ends it. */
  private async follow(child: ChildProcess, run: Run): Promise<Outcome> {
    const outcome: Outcome = { heard: new HeardProgress() };
    child.on('message', (message: TrainingMessage) => {
      if (message.kind === 'progress') outcome.heard.add(message.progress, message.step);
      else if (message.kind === 'published') {
        const { model, version, findings } = message;
        outcome.published = { model, version, findings };
      } else outcome.failure = { code: message.code, message: message.message };
      if (message.kind !== 'progress') child.disconnect();
    });
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    });
    child.send(run.order);
    for (;;) {
      const how = await Promise.race([ended, sleep(HEARTBEAT_MS, null)]);
      if (how !== null) {
        if (!outcome.published)
          outcome.failure ??= {
            code: 'TRAINING_FAILED',
            message: `the training process ended (${how}); see the log of the trainer`,
          };
        return outcome;
      }
      const reason = await this.reasonToEnd(run, outcome.heard);
      if (!reason) continue;
      child.kill('SIGKILL');
      await ended;
      return { failure: reason, heard: outcome.heard };
    }
  }

  private async reasonToEnd(run: Run, heard: HeardProgress): Promise<JobFailure | null> {
    if (this.stopping.signal.aborted) return { code: 'TRAINER_LOST', message: 'the trainer was stopped' };
    if (Date.now() > run.deadlineMs) return run.whenOver;
    const held = await this.jobs.report(run.lease, heard.takeReport()).catch(() => true);
    return held ? null : { code: 'TRAINING_CANCELLED', message: 'the job was cancelled' };
  }
}

/** A job ends at its own limit or at its tenant's, whichever comes first. */
function endOf(
  { task, maxMinutes }: TrainingJob,
  left: BudgetLeft | null,
): Pick<Run, 'deadlineMs' | 'whenOver'> {
  if (left && left.minutes < maxMinutes)
    return { deadlineMs: Date.now() + left.minutes * 60_000, whenOver: budgetUsed(left, task) };
  const message = 'the job took longer than its maxMinutes: allow more, or give it less data';
  return {
    deadlineMs: Date.now() + maxMinutes * 60_000,
    whenOver: { code: 'TRAINING_DEADLINE_EXCEEDED', message },
  };
}
