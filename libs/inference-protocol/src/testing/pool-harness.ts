import { Metadata, type status } from '@grpc/grpc-js';
import { createDecisionsClient, type DecisionsClient } from '../decisions.client.js';
import type { WorkerPoolOptions } from '../pool/pool-options.js';
import type { EndpointStatus } from '../pool/worker-pool.js';
import {
  answerOf,
  aRequest,
  type Recommend,
  type ServerChoices,
  until,
  WorkerServer,
} from './worker-server.js';
import type { RecommendResponse } from '../decisions-messages.js';

/** Workers and clients of one test, ended together. */
export class PoolHarness {
  private readonly cleanUp: (() => void)[] = [];

  async worker(recommend?: Recommend, choices?: ServerChoices): Promise<WorkerServer> {
    const worker = await WorkerServer.start(recommend, choices);
    this.cleanUp.push(() => worker.kill());
    return worker;
  }

  /** A client of the workers, with every connection made. */
  async client(
    workers: readonly WorkerServer[],
    options: Omit<WorkerPoolOptions, 'address'> = {},
  ): Promise<DecisionsClient> {
    const client = this.connect(workers, options);
    await until(() => client.pool.list().every(({ state }) => state === 'ready'));
    return client;
  }

  connect(
    workers: readonly WorkerServer[],
    options: Omit<WorkerPoolOptions, 'address'> = {},
  ): DecisionsClient {
    const address = workers.map((worker) => worker.address).join(',');
    const client = createDecisionsClient({ ...options, address });
    this.cleanUp.push(() => void client.close());
    return client;
  }

  end(): void {
    for (const step of this.cleanUp.splice(0)) step();
  }
}

export const ask = (client: DecisionsClient, deadlineMs = 5_000): Promise<RecommendResponse> =>
  client.recommend(aRequest, { deadlineMs });

/** A call whose outcome does not matter. */
export const poke = (client: DecisionsClient): void => void ask(client).catch(() => undefined);

export const askMany = (client: DecisionsClient, count: number): Promise<RecommendResponse[]> =>
  Promise.all(Array.from({ length: count }, () => ask(client)));

export const refuse =
  (code: status, pushback?: string): Recommend =>
  (_call, reply) => {
    const metadata = new Metadata();
    if (pushback !== undefined) metadata.set('grpc-retry-pushback-ms', pushback);
    reply({ code, details: 'refused', metadata });
  };

export const never: Recommend = () => undefined;

export const after =
  (milliseconds: () => number): Recommend =>
  (_call, reply) =>
    void setTimeout(() => reply(null, answerOf('CPU')), milliseconds());

export const stateOf = (client: DecisionsClient, worker: WorkerServer): EndpointStatus | undefined =>
  client.pool.list().find(({ address }) => address === worker.address);
