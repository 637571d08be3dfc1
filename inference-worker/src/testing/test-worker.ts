import {
  Client,
  credentials,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { createDecisionsClient, type DecisionsClient } from '@sextant/inference-protocol';
import { pino } from 'pino';
import { type RunningWorker, startWorker, type WorkerOptions } from '../worker.js';
import { loadWorkerConfig } from '../worker-config.js';

export { eventually } from './eventually.js';

export interface TestWorker {
  worker: RunningWorker;
  client: DecisionsClient;
  /** an unary call of any service of the worker */
  call<Response>(
    service: ServiceDefinition,
    method: string,
    request: object,
    deadlineMs?: number,
  ): Promise<Response>;
  metrics(): Promise<string>;
  get(path: string): Promise<Response>;
  stop(): Promise<void>;
}

/** A worker on free ports, ready, and a client of it. */
export async function startTestWorker(
  root: string,
  env: Record<string, string> = {},
  parts: Partial<Pick<WorkerOptions, 'spawn' | 'logger' | 'tracing'>> = {},
): Promise<TestWorker> {
  const config = loadWorkerConfig({
    PORT: '0',
    METRICS_PORT: '0',
    MODEL_REPOSITORY: root,
    INFERENCE_THREADS: '1',
    MODEL_POLL_MS: '50',
    ...env,
  });
  const logger = pino({ level: 'silent' });
  const worker = await startWorker({ config, logger, version: '0.0.0', ...parts });
  await worker.firstScan;
  const address = `127.0.0.1:${worker.grpcPort}`;
  const client = createDecisionsClient({ address });
  const raw = new Client(address, credentials.createInsecure());
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${worker.metricsPort}${path}`);
  return {
    worker,
    client,
    call: (service, method, request, deadlineMs = 10_000) => {
      const { path, requestSerialize, responseDeserialize } = service[method] as MethodDefinition<
        object,
        unknown
      >;
      return new Promise((resolve, reject) => {
        const done = (error: ServiceError | null, response: unknown): void =>
          error ? reject(error) : resolve(response as never);
        raw.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          { deadline: Date.now() + deadlineMs },
          done,
        );
      });
    },
    metrics: async () => (await get('/metrics')).text(),
    get,
    stop: async () => {
      client.close();
      raw.close();
      await worker.close();
    },
  };
}

/** The value of one sample line of a metrics page; 0 when it is not there. */
export function sample(page: string, name: string): number {
  const line = page.split('\n').find((each) => each.startsWith(`${name} `));
  return line ? Number(line.slice(name.length + 1)) : 0;
}
