import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SIMULATOR = fileURLToPath(new URL('../../simulator/dist/main.js', import.meta.url));

/** What a company looks like from outside, and its sealed truth. */
export interface SimulatedFiles {
  events: () => AsyncIterable<Record<string, unknown>>;
  truth: () => AsyncIterable<Record<string, unknown>>;
  remove: () => Promise<void>;
}

/** Runs the simulator as a user would, with the truth in a folder of its own. Needs a build. */
export async function simulatedFiles(flags: Readonly<Record<string, string>>): Promise<SimulatedFiles> {
  const [out, sealed] = await Promise.all(
    ['company-', 'truth-'].map((name) => mkdtemp(join(tmpdir(), name))),
  );
  const truth = join(sealed ?? '', 'truth.ndjson');
  const given = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  await promisify(execFile)(process.execPath, [SIMULATOR, '--out', out ?? '', '--truth', truth, ...given]);
  return {
    events: () => ndjson(join(out ?? '', 'events.ndjson')),
    truth: () => ndjson(truth),
    remove: async () => {
      await Promise.all([out, sealed].map((folder) => rm(folder ?? '', { recursive: true, force: true })));
    },
  };
}

async function* ndjson(path: string): AsyncGenerator<Record<string, unknown>> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line !== '') yield JSON.parse(line) as Record<string, unknown>;
  }
}
