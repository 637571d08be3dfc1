import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  type Client,
  type ClientReadableStream,
  credentials,
  Client as GrpcClient,
  type MethodDefinition,
} from '@grpc/grpc-js';
import { createDecisionsClient, healthService } from '@sextant/inference-protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { aRepository, publishLead, type TestRepository } from './testing/test-models.js';
import { eventually } from './testing/test-worker.js';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const running: ChildProcess[] = [];
const repositories: TestRepository[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  for (const repository of repositories.splice(0)) await repository.remove();
});

interface Started {
  child: ChildProcess;
  output(): string;
}

/** The compiled process, as an installation runs it. */
function start(env: Record<string, string>): Started {
  const child = spawn(process.execPath, [MAIN], {
    env: { PORT: '0', METRICS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text };
}

async function portsOf({ output }: Started): Promise<{ port: number; metricsPort: number }> {
  const line = await eventually(
    () =>
      output()
        .split('\n')
        .find((each) => each.includes('"listening"')),
    20_000,
  );
  return JSON.parse(line) as { port: number; metricsPort: number };
}

async function aLeadRepository(): Promise<string> {
  const repository = await aRepository();
  repositories.push(repository);
  await publishLead(repository.directory);
  return repository.directory.root;
}

function watchHealth(client: Client): ClientReadableStream<{ status: string }> {
  const { path, requestSerialize, responseDeserialize } = healthService['Watch'] as MethodDefinition<
    object,
    { status: string }
  >;
  return client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
    service: 'readiness',
  });
}

describe('the inference worker as a process', () => {
  it('serves, says that it drains on SIGTERM, and exits 0', async () => {
    const process = start({ MODEL_REPOSITORY: await aLeadRepository() });
    const { port, metricsPort } = await portsOf(process);
    const ready = (): Promise<Response> => fetch(`http://127.0.0.1:${metricsPort}/health/ready`);
    await eventually(async () => (await ready()).ok);
    const decisions = createDecisionsClient({ address: `127.0.0.1:${port}` });
    const rows = { rows: 1, numeric: [], categorical: [] };
    const { scores } = await decisions.scoreLeads({ model: 'demo.lead', rows }, { deadlineMs: 10_000 });
    expect(scores[0]?.probability).toBeCloseTo(1 / (1 + Math.E), 5);

    const client = new GrpcClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const seen: string[] = [];
    const watch = watchHealth(client).on('data', ({ status }: { status: string }) => seen.push(status));
    watch.on('error', () => seen.push('ended'));
    await eventually(() => seen.length === 1);
    const exited = once(process.child, 'exit');
    process.child.kill('SIGTERM');

    expect(await exited).toEqual([0, null]);
    expect(seen).toEqual(['SERVING', 'NOT_SERVING', 'ended']);
    client.close();
    decisions.close();
  });

  it('exits 1 with one message and its remedy when a port is taken', async () => {
    const root = await aLeadRepository();
    const { port, metricsPort } = await portsOf(start({ MODEL_REPOSITORY: root }));
    for (const [name, taken] of Object.entries({ PORT: port, METRICS_PORT: metricsPort })) {
      const second = start({ MODEL_REPOSITORY: root, [name]: String(taken), LOG_LEVEL: 'silent' });
      expect(await once(second.child, 'exit')).toEqual([1, null]);
      expect(second.output().trim().split('\n')).toHaveLength(1);
      expect(second.output()).toContain(`set another ${name}`);
    }
  });

  it('names every bad variable at once and starts nothing', async () => {
    const process = start({ PORT: 'abc', INFERENCE_THREADS: '0' });
    expect(await once(process.child, 'exit')).toEqual([1, null]);
    for (const name of ['PORT', 'INFERENCE_THREADS', 'MODEL_REPOSITORY'])
      expect(process.output()).toContain(`${name}:`);
  });
});
