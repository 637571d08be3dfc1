import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  Client,
  credentials,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The compiled worker in a process of its own, which a driver or a library path in its environment can reach. */
export interface WorkerChild {
  call<Response>(service: ServiceDefinition, method: string, request: object): Promise<Response>;
  get(path: string): Promise<Response>;
  /** lines of its log so far */
  log: Record<string, unknown>[];
  stop(): Promise<void>;
}

/** @param env  all of its environment but ports and repository */
export async function startWorkerChild(root: string, env: Record<string, string>): Promise<WorkerChild> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...{ PORT: '0', METRICS_PORT: '0', MODEL_REPOSITORY: root, INFERENCE_THREADS: '1' },
      ...env,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const log: Record<string, unknown>[] = [];
  const { port, metricsPort } = await whenReady(child, log);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    log,
    call: (service, method, request) => callOf(client, service[method], request),
    get: (path) => fetch(`http://127.0.0.1:${metricsPort}${path}`),
    stop: async () => {
      client.close();
      const exited = once(child, 'exit');
      if (child.exitCode === null && child.kill('SIGTERM')) await exited;
    },
  };
}

async function whenReady(
  child: ChildProcess,
  log: Record<string, unknown>[],
): Promise<{ port: number; metricsPort: number }> {
  if (!child.stdout) throw new Error('the child has no output');
  let ports = { port: 0, metricsPort: 0 };
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code} before it was ready`)));
    createInterface(child.stdout ?? process.stdin).on('line', (line) => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      log.push(entry);
      if (entry['msg'] === 'listening')
        ports = { port: Number(entry['port']), metricsPort: Number(entry['metricsPort']) };
      if (entry['msg'] === 'ready') resolve(ports);
    });
  });
}

function callOf<Response>(client: Client, method: unknown, request: object): Promise<Response> {
  const { path, requestSerialize, responseDeserialize } = method as MethodDefinition<object, unknown>;
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, response: unknown): void =>
      error ? reject(error) : resolve(response as Response);
    const options = { deadline: Date.now() + 30_000 };
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, done);
  });
}
