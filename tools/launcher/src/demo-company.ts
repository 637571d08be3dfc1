import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphClient } from './graph-client.js';
import type { Progress } from './progress.js';
import type { Settings } from './settings.js';

export const DEMO_TENANT = 'demo';
const DEMO_SEED = 42;
/** Fills an empty store with the simulator's company, through the same import that anyone's own data takes. */
export async function loadDemoCompany(
  settings: Settings,
  client: GraphClient,
  progress: Progress,
): Promise<void> {
  const { customers } = await client.ask<{ customers: { nodes: unknown[] } }>(
    '{ customers(first: 1) { nodes { id } } }',
  );
  if (customers.nodes.length > 0) return;
  const folder = join(settings.dataDir, 'demo');
  const until = new Date().toISOString().slice(0, 10);
  const script = (path: string) => join(settings.repositoryRoot, path);
  await progress.step('simulate the demo company', () =>
    runTool(
      script('simulator/dist/main.js'),
      ['--seed', String(DEMO_SEED), '--until', until, '--out', folder],
      (share) => progress.bar('simulate the demo company', share),
    ),
  );
  const summary = await progress.step(
    'import its events through the graph',
    () =>
      runTool(
        script('tools/cli/dist/main.js'),
        ['import', '--mapping', 'simulator', '--data', folder, '--tenant', DEMO_TENANT],
        (share) => progress.bar('import its events through the graph', share),
        { SEXTANT_DATA_DIR: settings.dataDir },
      ),
    (output) =>
      output
        .trim()
        .split('\n')
        .find((line) => line.startsWith('events')) ?? '',
  );
  await rm(folder, { recursive: true, force: true });
  if (!summary) throw new Error('the import said nothing');
}

/** Runs one of our command-line tools; a percentage on its stderr moves the bar. */
function runTool(
  script: string,
  args: string[],
  onProgress: (share: number) => void,
  env: Record<string, string> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let output = '';
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2_000);
      const share = shareIn(chunk.toString());
      if (share !== null) onProgress(share);
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve(output)
        : reject(new Error(`${args[0]} ended with code ${code}: ${complaint.trim()}`)),
    );
  });
}

/** How far a tool says it is: `45 %`, or `12 of 120 days`. */
function shareIn(text: string): number | null {
  const found = [...text.matchAll(/(\d+) ?%|(\d+) of (\d+) days/g)].at(-1);
  if (!found) return null;
  return found[1] === undefined ? Number(found[2]) / Number(found[3]) : Number(found[1]) / 100;
}
