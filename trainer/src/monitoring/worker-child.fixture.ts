import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../inference-worker/dist/main.js', import.meta.url));
const READY_MS = 30_000;

/** The compiled worker in a process of its own, on free ports over a model repository. */
export interface WorkerChild {
  address: string;
  child: ChildProcess;
  /** @returns once it has ended */
  end(signal: NodeJS.Signals): Promise<void>;
}

export async function startWorkerChild(repository: string, port = 0): Promise<WorkerChild> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...{
        PORT: String(port),
        METRICS_PORT: '0',
        MODEL_REPOSITORY: repository,
      },
      ...{ INFERENCE_THREADS: '1', MODEL_POLL_MS: '50' },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const listening = await within(READY_MS, () => /"port":(\d+)/.exec(told)?.[1]);
  await within(READY_MS, () => told.includes('"msg":"ready"'));
  return {
    address: `127.0.0.1:${listening}`,
    child,
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
  };
}

/** Waits for a condition, at most `mostMs`. */
export async function within<T>(
  mostMs: number,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = Date.now() + mostMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${mostMs} ms: ${probe.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
