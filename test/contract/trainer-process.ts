import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './graph-processes.js';

const LIMIT_MS = 240_000;

/** An event as the simulator writes and `ingestEvents` takes it. */
export interface SentEvent {
  id: string;
  type: string;
  at: string;
  customerRef?: string;
  properties?: Record<string, unknown>;
}

/** Runs a program of the product to its end. @throws Error with what it said when it fails */
export function runProgram(
  program: 'simulator' | 'trainer',
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, program, 'dist/main.js'), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: LIMIT_MS,
  });
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve()
        : reject(
            new Error(`${program} ${args.join(' ')} ended with ${code}: ${said.join('').slice(-2_000)}`),
          ),
    );
  });
}

/** The events of a simulated company of four months that ends with 2025. */
export async function simulatedEvents(folder: string, customers: number): Promise<SentEvent[]> {
  await runProgram('simulator', [
    ...['--out', folder, '--customers', String(customers), '--products', '40', '--accounts', '10'],
    ...['--days', '120', '--until', '2026-01-01', '--seed', '3'],
  ]);
  const lines = (await readFile(join(folder, 'events.ndjson'), 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as SentEvent);
}
