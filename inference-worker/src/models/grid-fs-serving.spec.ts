import type { ModelRepository } from '@sextant/artefacts';
import { startMongod } from '@sextant/local-services';
import { createDecisionsClient } from '@sextant/inference-protocol';
import { openModelRepository } from '@sextant/model-registry';
import { startMongoServer } from '@sextant/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { eventually } from '../testing/eventually.js';
import { publishRecommender } from '../testing/test-models.js';
import { startTestWorker, type TestWorker } from '../testing/test-worker.js';
import { startWorker } from '../worker.js';
import { loadWorkerConfig } from '../worker-config.js';

type MongoServer = Awaited<ReturnType<typeof startMongoServer>>;

let server: MongoServer;
let where: string;
let store: ModelRepository;
beforeAll(async () => {
  server = await startMongoServer();
  where = `mongodb://127.0.0.1:${server.port}/models?directConnection=true&bucket=spec&serverSelectionTimeoutMS=300`;
  store = await openModelRepository(where);
});
afterAll(async () => {
  await store.close();
  await server.stop();
});

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const publish = (scale: number): Promise<number> =>
  publishRecommender(store, { items: ['i0', 'i1'], matrix: Float32Array.of(0, scale, scale, 0, 0, 0) });
const ask = async (
  worker: Pick<TestWorker, 'client'>,
): Promise<{ version: string; score: number | undefined }> => {
  const row = { history: ['i0'], first: 1 };
  const answer = await worker.client.recommend(
    { model: 'demo.recommend', rows: [row] },
    { deadlineMs: 5_000 },
  );
  return { version: answer.servedBy.version, score: answer.slates[0]?.items[0]?.score };
};

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** @returns what starts it again over the same data */
async function killStore(): Promise<() => Promise<void>> {
  const { port, dataDir, binary } = server;
  const { pid } = server;
  process.kill(pid, 'SIGKILL');
  await eventually(() => !isAlive(pid));
  return async () => {
    const again = await startMongod({ binary, dataDir, port });
    server = { ...server, pid: again.process.pid ?? -1, stop: () => again.stop() };
  };
}

describe('a worker over GridFS', () => {
  it('serves what is live, takes over the next version, and goes back to the one before', async () => {
    await publish(1);
    const worker = await startTestWorker(where);
    cleanUp.push(() => worker.stop());
    expect(await ask(worker)).toEqual({ version: '1', score: 1 });
    await publish(5);
    await eventually(async () => (await ask(worker)).version === '2');
    expect(await ask(worker)).toEqual({ version: '2', score: 5 });
    await store.setLiveVersion('demo.recommend', 1);
    await eventually(async () => (await ask(worker)).version === '1');
  });

  it('serves on while the store is away, says so once, and follows it again afterwards', async () => {
    const version = await publish(1);
    const lines: { msg: string; cause?: string }[] = [];
    const logger = pino(
      { level: 'info' },
      { write: (line: string) => lines.push(JSON.parse(line) as { msg: string }) },
    );
    const config = loadWorkerConfig({
      PORT: '0',
      METRICS_PORT: '0',
      MODEL_REPOSITORY: where,
      INFERENCE_THREADS: '1',
      MODEL_POLL_MS: '50',
    });
    const worker = await startWorker({ config, logger, version: 'test' });
    cleanUp.push(() => worker.close());
    await worker.firstScan;
    const client = createDecisionsClient({ address: `127.0.0.1:${worker.grpcPort}` });
    cleanUp.push(async () => client.close());
    const said = (part: string): number => lines.filter(({ msg }) => msg.includes(part)).length;
    expect(said('ready')).toBe(1);

    const restart = await killStore();
    await eventually(() => said('cannot be read') > 0);
    const looks = performance.now() + 1_500;
    await eventually(() => performance.now() > looks);
    expect(said('cannot be read')).toBe(1);
    expect(await ask({ client })).toEqual({ version: String(version), score: 1 });
    expect(JSON.stringify(lines)).not.toContain('"refused"');

    await restart();
    await eventually(() => said('can be read again') === 1, 20_000);
    await publish(7);
    await eventually(async () => (await ask({ client })).score === 7);
  });

  it('is not ready before it could look at the store once', async () => {
    await publish(1);
    const restart = await killStore();
    const config = loadWorkerConfig({
      PORT: '0',
      METRICS_PORT: '0',
      MODEL_REPOSITORY: where,
      INFERENCE_THREADS: '1',
      MODEL_POLL_MS: '50',
    });
    const worker = await startWorker({ config, logger: pino({ level: 'silent' }), version: 'test' });
    cleanUp.push(() => worker.close());
    const readiness = async (): Promise<number> =>
      (await fetch(`http://127.0.0.1:${worker.metricsPort}/health/ready`)).status;
    expect(await readiness()).toBe(503);
    await restart();
    await worker.firstScan;
    expect(await readiness()).toBe(200);
  });
});
