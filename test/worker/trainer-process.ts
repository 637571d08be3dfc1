import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

const MAIN = fileURLToPath(
  new URL(
    import.meta.url.includes('/dist/') ? '../../../trainer/dist/main.js' : '../../trainer/dist/main.js',
    import.meta.url,
  ),
);

/** `trainer work` in a process of its own. */
export interface TrainerProcess {
  child: ChildProcess;
  output(): string;
  get(path: string): Promise<Response>;
  /** SIGTERM; ended when it takes longer than ten seconds */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const KEPT_OUTPUT = 200_000;

/** Starts it on a free operations port and waits until it works. @param env  at least the store, the repository and the workers */
export async function startTrainerProcess(env: Record<string, string>): Promise<TrainerProcess> {
  const child = spawn(process.execPath, [MAIN, 'work'], {
    env: { METRICS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-KEPT_OUTPUT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = once(child, 'exit');
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = async (): Promise<void> => {
    if (isAlive()) child.kill('SIGKILL');
    await exited;
  };
  try {
    const port = await until('the trainer to work', 60_000, () => portIn(text, isAlive()));
    const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
    await until('the trainer to be ready', 30_000, async () => (await get('/health/ready')).ok);
    const stop = async (): Promise<void> => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(timer);
    };
    return { child, output: () => text, get, stop, kill };
  } catch (error) {
    await kill();
    throw new Error(`the trainer did not start; it wrote:\n${text}`, { cause: error });
  }
}

function portIn(text: string, isAlive: boolean): number | undefined {
  const line = text.split('\n').find((each) => each.includes('"metricsPort"'));
  if (!line && !isAlive) throw new Error('the trainer ended while it started');
  return line ? (JSON.parse(line) as { metricsPort: number }).metricsPort : undefined;
}
