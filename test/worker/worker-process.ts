import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

const MAIN = fileURLToPath(
  new URL(
    import.meta.url.includes('/dist/')
      ? '../../../inference-worker/dist/main.js'
      : '../../inference-worker/dist/main.js',
    import.meta.url,
  ),
);

/** The compiled worker in a process of its own, ready. */
export interface WorkerProcess {
  child: ChildProcess;
  pid: number;
  address: string;
  port: number;
  operationsPort: number;
  /** what it wrote to stdout and stderr, the newest 200,000 characters */
  output(): string;
  get(path: string): Promise<Response>;
  /** one sample of /metrics; NaN when it is not there */
  metric(name: string): Promise<number>;
  /** several samples of one scrape */
  metrics(...names: string[]): Promise<number[]>;
  residentBytes(): Promise<number>;
  /** operating system threads; NaN where the system does not tell */
  threads(): Promise<number>;
  isAlive(): boolean;
  /** SIGTERM. @returns exit code and signal */
  terminate(): Promise<[number | null, NodeJS.Signals | null]>;
  /** ends it at once, whatever it does */
  kill(): Promise<void>;
}

const KEPT_OUTPUT = 200_000;

/** Starts `inference-worker/dist/main.js` on free ports over a model repository and waits until it is ready. */
export async function startWorkerProcess(
  repository: string,
  env: Record<string, string> = {},
  { nodeFlags = [] as string[], readyMs = 60_000 } = {},
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [...nodeFlags, MAIN], {
    env: { PORT: '0', METRICS_PORT: '0', MODEL_REPOSITORY: repository, MODEL_POLL_MS: '50', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-KEPT_OUTPUT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = async (): Promise<void> => {
    if (isAlive()) child.kill('SIGKILL');
    await exited;
  };
  try {
    const ports = await until('the worker to listen', readyMs, () => listeningLine(text, isAlive()));
    const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${ports.metricsPort}${path}`);
    const metrics = async (...names: string[]): Promise<number[]> =>
      samples(await (await get('/metrics')).text(), names);
    const metric = async (name: string): Promise<number> => (await metrics(name))[0] ?? Number.NaN;
    await until('the worker to be ready', readyMs, async () => (await get('/health/ready')).ok);
    return {
      child,
      pid: child.pid ?? 0,
      address: `127.0.0.1:${ports.port}`,
      port: ports.port,
      operationsPort: ports.metricsPort,
      output: () => text,
      get,
      metric,
      metrics,
      residentBytes: () => metric('process_resident_memory_bytes'),
      threads: async () => (await readdir(`/proc/${child.pid}/task`).catch(() => null))?.length ?? Number.NaN,
      isAlive,
      terminate: () => {
        child.kill('SIGTERM');
        return exited;
      },
      kill,
    };
  } catch (error) {
    await kill();
    throw new Error(`the worker did not start; it wrote:\n${text}`, { cause: error });
  }
}

function listeningLine(text: string, isAlive: boolean): { port: number; metricsPort: number } | undefined {
  const line = text.split('\n').find((each) => each.includes('"listening"'));
  if (!line && !isAlive) throw new Error('the worker ended while it started');
  return line ? (JSON.parse(line) as { port: number; metricsPort: number }) : undefined;
}

/** @param names  as they stand in the text, with their labels */
function samples(page: string, names: readonly string[]): number[] {
  const lines = page.split('\n');
  return names.map((name) => {
    const line = lines.find((each) => each.startsWith(`${name} `));
    return line ? Number(line.slice(name.length + 1)) : Number.NaN;
  });
}
