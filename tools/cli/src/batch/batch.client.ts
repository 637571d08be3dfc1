import { DomainError } from '@sextant/domain';
import { z } from 'zod';
import type { GraphClient } from '../graph/graph.client.js';
import { mutationResult, USER_ERRORS } from '../graph/mutation-result.js';

const job = z.object({
  id: z.string(),
  task: z.string(),
  state: z.enum(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED']),
  progress: z.number(),
  etaSeconds: z.number().nullable(),
  customersPerSecond: z.number().nullable(),
  asOf: z.string().nullable(),
  modelVersion: z.object({ id: z.string() }).nullable(),
  customers: z.number().nullable(),
  scored: z.number(),
  failed: z.number(),
  failures: z.array(z.object({ code: z.string(), customers: z.number() })),
  note: z.string().nullable(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  failure: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type BatchJobAnswer = z.output<typeof job>;

const topPage = z.object({
  nodes: z.array(
    z.object({
      customer: z.object({ id: z.string() }),
      probability: z.number(),
      percentile: z.number(),
      band: z.string(),
      asOf: z.string(),
    }),
  ),
});
export type TopAnswer = z.output<typeof topPage>['nodes'];

const FIELDS = `id task state progress etaSeconds customersPerSecond asOf modelVersion { id } customers scored failed
  failures { code customers } note createdAt finishedAt failure { code message }`;

/** The operations of the graph on batch jobs. */
export class BatchClient {
  constructor(private readonly graph: Pick<GraphClient, 'query' | 'mutate'>) {}

  async score(task: string, idempotencyKey: string): Promise<BatchJobAnswer> {
    const mutation = `mutation Score($input: ScoreCustomersInput!) {
      startScoring(input: $input) { job { ${FIELDS} } ${USER_ERRORS} } }`;
    const data = await this.graph.mutate(mutation, { input: { task, idempotencyKey } });
    return job.parse(mutationResult(data, 'startScoring', 'job'));
  }

  /** @throws DomainError INVALID_INPUT when there is no such job */
  async job(id: string): Promise<BatchJobAnswer> {
    return this.existing(
      id,
      (await this.graph.query(`query Batch($id: ID!) { batchJob(id: $id) { ${FIELDS} } }`, { id }))[
        'batchJob'
      ],
    );
  }

  async jobs(first: number): Promise<BatchJobAnswer[]> {
    const query = `query Batches($first: Int) { batchJobs(first: $first) { ${FIELDS} } }`;
    return z.array(job).parse((await this.graph.query(query, { first }))['batchJobs']);
  }

  /** @throws DomainError INVALID_INPUT when there is no such job */
  async change(change: 'stopScoring' | 'resumeScoring', id: string): Promise<BatchJobAnswer> {
    const mutation = `mutation Change($input: JobInput!) {
      ${change}(input: $input) { job { ${FIELDS} } ${USER_ERRORS} } }`;
    const data = await this.graph.mutate(mutation, { input: { id } });
    try {
      return job.parse(mutationResult(data, change, 'job'));
    } catch (error) {
      if (error instanceof DomainError && error.code === 'JOB_NOT_FOUND') return this.existing(id, null);
      throw error;
    }
  }

  async top(task: string, first: number): Promise<TopAnswer> {
    const query = `query Top($task: String!, $first: Int) { topCustomers(task: $task, first: $first) {
      nodes { customer { id } probability percentile band asOf }
    } }`;
    return topPage.parse((await this.graph.query(query, { task, first }))['topCustomers']).nodes;
  }

  private existing(id: string, answer: unknown): BatchJobAnswer {
    if (answer !== null && answer !== undefined) return job.parse(answer);
    throw new DomainError(
      'INVALID_INPUT',
      `there is no batch job ${id}: \`sextant batch list\` shows those there are`,
    );
  }
}
