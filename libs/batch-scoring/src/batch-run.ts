import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelRepository, ScoreSpec } from '@sextant/artefacts';
import { modelName } from '@sextant/artefacts';
import { type Clock, DomainError } from '@sextant/domain';
import type { FeatureStore, OnlineCustomer } from '@sextant/features';
import type { DecisionsClient } from '@sextant/inference-protocol';
import { type ModelLifecycle, modelVersionId } from '@sextant/model-registry';
import { type BatchJob, type ClaimedBatch, processedOf } from './batch-job.js';
import type { BatchJobs } from './batch-jobs.repository.js';
import { CallPacer } from './call-pacer.js';
import type { CustomerScores } from './customer-scores.repository.js';
import { PageProgress } from './page-progress.js';
import { type ScoreQuestion, scoreRows } from './score-rows.js';
import { ScoreTable } from './score-table.js';

export interface BatchParts {
  jobs: BatchJobs;
  scores: CustomerScores;
  customers: FeatureStore;
  models: ModelRepository;
  lifecycle: ModelLifecycle;
  client: DecisionsClient;
  clock: Clock;
}

export interface BatchSettings {
  /** customers read, scored and written together */
  pageRows: number;
  /** pages at the same time */
  concurrency: number;
  /** longest wait for one answer of a worker */
  deadlineMs: number;
  /** how long no worker may answer before the job is given up */
  patienceMs: number;
  /** pause between two checkpoints */
  checkpointMs: number;
}

export const DEFAULT_BATCH_SETTINGS: BatchSettings = {
  pageRows: 2_000,
  concurrency: 4,
  deadlineMs: 30_000,
  patienceMs: 300_000,
  checkpointMs: 1_000,
};

/** How a run ended: the job is over, or it goes on elsewhere. */
export type BatchEnd = 'SUCCEEDED' | 'FAILED' | 'LOST';

/** What no score model reads of a state. */
const UNREAD = ['interactions.at', 'interactions.kinds', 'interactions.values', 'purchases', 'consents'];
/** What only the lead model reads: a whole vector of the past. */
const LEAD_PART = 'lead';
/** From so many failed rows on, a job in which most rows fail is given up. */
const FAILED_ROWS_LOOKED_AT = 1_000;

/** Pause between two looks at which version is live. */
const LOOK_MS = 5_000;

/** Scores everybody of one claimed job, from its checkpoint to the end. */
export class BatchRun {
  /** ends every call and pause of the run */
  private readonly ending = new AbortController();
  private readonly progress = new PageProgress();
  private pages = 0;
  private isLost = false;
  private lookedAt = 0;

  constructor(
    private readonly parts: BatchParts,
    private readonly claimed: ClaimedBatch,
    private readonly settings: BatchSettings = DEFAULT_BATCH_SETTINGS,
  ) {}

  /** Ends the run where it is; the job keeps its lease and its last checkpoint. */
  stop(): void {
    this.isLost = true;
    this.ending.abort();
  }

  /** A failure that is no DomainError is a bug: it rejects, and the job keeps its lease. */
  async run(): Promise<BatchEnd> {
    const end = await this.runToEnd();
    await this.letGo();
    return end;
  }

  private async runToEnd(): Promise<BatchEnd> {
    try {
      const job = await this.begin();
      if (!job) return 'LOST';
      const question = await this.question(job);
      await this.parts.lifecycle.keepLoaded(question, question.version, true);
      await this.scoreAll(question, job);
      return await this.conclude(question);
    } catch (error) {
      if (this.isLost) return 'LOST';
      if (!(error instanceof DomainError)) throw error;
      const { code, message } = error;
      return (await this.parts.jobs.fail(this.claimed.lease, { code, message })) ? 'FAILED' : 'LOST';
    }
  }

  /** Of a job that is over, the version need not stay loaded; one that goes on elsewhere still needs it. */
  private async letGo(): Promise<void> {
    const { tenantId, id } = this.claimed.job;
    const job = await this.parts.jobs.find(tenantId, id);
    if (!job?.finishedAt || job.modelVersionId === null) return;
    const { model, version } = versionOf(job);
    await this.parts.lifecycle.keepLoaded({ tenantId, model }, version, false);
  }

  /** Fixes instant and version with the first attempt. @returns null when the lease is lost */
  private async begin(): Promise<BatchJob | null> {
    const { jobs, models, customers, clock } = this.parts;
    const { job, lease } = this.claimed;
    if (job.asOf !== null) return job;
    const model = modelName(job.tenantId, job.task);
    const { live } = await models.readEntry(model);
    if (live === null) {
      throw new DomainError('MODEL_NOT_FOUND', `${model} has no live version; train ${job.task} first`);
    }
    return jobs.plan(lease, {
      asOf: clock.now(),
      modelVersionId: modelVersionId(model, live),
      customers: await customers.count(job.tenantId),
    });
  }

  private async question(job: BatchJob): Promise<ScoreQuestion> {
    const { tenantId, task, asOf } = job;
    const { model, version } = versionOf(job);
    if (asOf === null) throw new RangeError(`${job.id} has no instant`);
    const { spec } = await this.parts.models.readManifest(model, version);
    if (spec.task !== task) throw new RangeError(`${model}@${version} is a model of ${spec.task}`);
    return { tenantId, task, model, version, asOf, table: new ScoreTable(task, columnsOf(spec), asOf) };
  }

  private async scoreAll(question: ScoreQuestion, job: BatchJob): Promise<void> {
    const { concurrency, patienceMs, pageRows } = this.settings;
    const pacer = new CallPacer({ maxConcurrency: concurrency, patienceMs }, this.ending.signal);
    const { customers } = this.parts;
    const after = this.claimed.cursor;
    const without = question.task === 'lead' ? UNREAD : [...UNREAD, LEAD_PART];
    const pages = customers.pages(question.tenantId, pageRows, { after, without });
    const counts = { processed: processedOf(job), failed: processedOf({ ...job, scored: 0 }) };
    const loops = Array.from({ length: concurrency }, () =>
      this.scorePages(pages, { question, job, pacer, counts }),
    );
    const scored = new AbortController();
    const recording = this.record(question, scored.signal);
    const results = await Promise.allSettled(loops);
    scored.abort();
    await recording;
    for (const result of results) if (result.status === 'rejected') throw firstReason(results);
  }

  /** One of the loops that share the pages; the first failure ends them all. */
  private async scorePages(pages: AsyncGenerator<OnlineCustomer[]>, work: Work): Promise<void> {
    try {
      for (;;) {
        const { value: customers, done } = await pages.next();
        if (done) return;
        const page = this.pages++;
        this.ending.signal.throwIfAborted();
        await this.scorePage(page, customers, work);
      }
    } catch (error) {
      this.ending.abort(error);
      throw error;
    }
  }

  private async scorePage(page: number, customers: OnlineCustomer[], work: Work): Promise<void> {
    const { question, job, pacer, counts } = work;
    const { client, scores } = this.parts;
    const asking = { client, pacer, deadlineMs: this.settings.deadlineMs, signal: this.ending.signal };
    const { scored, failed } = await scoreRows(asking, question, customers);
    const { tenantId, task, asOf, model, version } = question;
    const origin = { tenantId, task, asOf, jobId: job.id, modelVersionId: modelVersionId(model, version) };
    await scores.save(origin, scored);
    this.progress.finish(page, {
      lastId: customers.at(-1)?.customerId ?? '',
      scored: scored.length,
      failed,
    });
    counts.processed += customers.length;
    counts.failed += failed.length;
    const [first] = failed;
    if (first && counts.failed >= FAILED_ROWS_LOOKED_AT && 2 * counts.failed > counts.processed) {
      const message = `${counts.failed} of ${counts.processed} customers could not be scored; see the failures of the job`;
      throw new DomainError(first.code, message);
    }
  }

  /** Checkpoints until everybody is scored, and once more then; a lost lease ends the run. */
  private async record(question: ScoreQuestion, scored: AbortSignal): Promise<void> {
    const { jobs } = this.parts;
    const { lease } = this.claimed;
    for (;;) {
      const isLast = scored.aborted;
      const isHeld = await jobs.checkpoint(lease, this.progress.take());
      if (!isHeld) this.stop();
      if (isLast || !isHeld) return;
      await this.lookAtLive(question);
      await sleep(this.settings.checkpointMs, undefined, { signal: scored }).catch(() => undefined);
    }
  }

  /** A version that is no longer live goes on scoring, so that a job is of one version; the job says so. */
  private async lookAtLive({ model, version }: ScoreQuestion): Promise<void> {
    if (performance.now() < this.lookedAt + LOOK_MS && this.lookedAt > 0) return;
    this.lookedAt = performance.now();
    const { live } = await this.parts.models.readEntry(model);
    if (live === version) return;
    const successor = live === null ? 'no version' : modelVersionId(model, live);
    const note = `${successor} is live since, in place of ${modelVersionId(model, version)}, which this job goes on with`;
    await this.parts.jobs.remark(this.claimed.lease, note);
  }

  private async conclude(question: ScoreQuestion): Promise<BatchEnd> {
    await this.parts.scores.removeOlderThan(question);
    return (await this.parts.jobs.succeed(this.claimed.lease)) ? 'SUCCEEDED' : 'LOST';
  }
}

/** What the loops of a run share. */
interface Work {
  question: ScoreQuestion;
  job: BatchJob;
  pacer: CallPacer;
  /** of all attempts, checkpointed or not */
  counts: { processed: number; failed: number };
}

function versionOf({ tenantId, task, modelVersionId: id }: BatchJob): { model: string; version: number } {
  const model = modelName(tenantId, task);
  const version = Number(id?.slice(id.lastIndexOf('@') + 1));
  if (!Number.isInteger(version)) throw new RangeError(`${id} is no version of ${model}`);
  return { model, version };
}

/** The failure that ended the others, rather than their ends. */
function firstReason(results: readonly PromiseSettledResult<void>[]): unknown {
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  return reasons.find((reason) => !(reason instanceof Error && reason.name === 'AbortError')) ?? reasons[0];
}

/** Names of the raw columns that a model reads. */
function columnsOf({ table }: ScoreSpec): ReadonlySet<string> {
  return new Set(
    table.columns.flatMap((column) =>
      column.kind === 'lookup' && column.times ? [column.column, column.times.column] : [column.column],
    ),
  );
}
