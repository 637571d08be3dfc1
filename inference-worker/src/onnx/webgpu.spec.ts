import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '@sextant/learning';
import { decisionsService, openInferenceService } from '@sextant/inference-protocol';
import { CACHE_DIRECTORY, findSoftwareVulkan } from '@sextant/local-services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aRepository,
  publishLead,
  publishLifetime,
  publishPrice,
  publishRecommender,
  publishTrees,
  publishUplift,
  type TestRepository,
} from '../testing/test-models.js';
import { startWorkerChild, type WorkerChild } from '../testing/worker-child.js';

const ITEMS = 300;
/** Nothing computes further from the CPU than this. */
const TOLERANCE = 1e-5;
const NO_DRIVER = { VK_DRIVER_FILES: '/no-driver.json', VK_ICD_FILENAMES: '/no-driver.json' };

interface ScoreAnswer {
  servedBy: { device: string };
  scores: { probability: number }[];
}

interface Metadata {
  inputs: { name: string; datatype: string; shape: string[] }[];
  properties: Record<string, string>;
}

/** A repository that holds a model of every kind that is written for GPUs, and one that is not. */
async function everyKind(): Promise<TestRepository> {
  const repository = await aRepository();
  const random = seededRandom(1);
  await publishRecommender(repository.directory, {
    items: Array.from({ length: ITEMS }, (_, i) => `i${i}`),
    matrix: Float32Array.from({ length: (ITEMS + 1) * ITEMS }, () => (random() - 0.5) / 5),
  });
  await publishLead(repository.directory);
  await publishTrees(repository.directory);
  await publishLifetime(repository.directory);
  await publishPrice(repository.directory);
  await publishUplift(repository.directory);
  const serve = (model: string, execution: object): Promise<void> =>
    writeFile(join(repository.directory.root, model, 'serving.json'), JSON.stringify({ execution }));
  await serve('demo.price', { providers: ['cpu'] });
  await serve('demo.uplift', { strict: false });
  return repository;
}

const metadataOf = (worker: WorkerChild, name: string): Promise<Metadata> =>
  worker.call(openInferenceService, 'ModelMetadata', { name, version: '' });

/** The first output of a model for rows of FP32. */
async function infer(
  worker: WorkerChild,
  model: string,
  rows: Float32Array,
  count: number,
): Promise<Float32Array> {
  const { inputs } = await metadataOf(worker, model);
  const [{ name = '', datatype = '' } = {}] = inputs;
  const answer = await worker.call<{ rawOutputContents: Buffer[] }>(openInferenceService, 'ModelInfer', {
    modelName: model,
    inputs: [{ name, datatype, shape: [count, rows.length / count] }],
    rawInputContents: [Buffer.from(rows.buffer)],
  });
  return new Float32Array(new Uint8Array(answer.rawOutputContents[0] ?? []).buffer);
}

const vulkan = await findSoftwareVulkan({ env: {}, cacheDir: CACHE_DIRECTORY }).catch((error: unknown) => {
  process.stderr.write(`skipped: ${error instanceof Error ? error.message : String(error)}\n`);
  return null;
});

describe.skipIf(vulkan === null)('a worker whose models run on WebGPU (Mesa’s software Vulkan)', () => {
  const started: WorkerChild[] = [];
  let repository: TestRepository;
  let gpu: WorkerChild;
  let cpu: WorkerChild;
  beforeAll(async () => {
    repository = await everyKind();
    const order = { INFERENCE_PROVIDERS: 'cuda,webgpu,cpu', INFERENCE_GPU_STRICT: 'true' };
    started.push((gpu = await startWorkerChild(repository.directory.root, { ...vulkan?.env, ...order })));
    started.push((cpu = await startWorkerChild(repository.directory.root, {})));
  });
  afterAll(async () => {
    await Promise.all(started.map((worker) => worker.stop()));
    await repository.remove();
  });

  it.each([
    ['demo.recommend', ITEMS + 1],
    ['demo.lead', 4],
    ['demo.churn', 4],
    // In float64, which WebGPU has not: in part there and in part on the CPU, as its own configuration allows.
    ['demo.uplift', 1],
  ])('serves %s there as the CPU does', async (model, columns) => {
    const { properties } = await metadataOf(gpu, model);
    expect(properties).toMatchObject({
      device: 'WEBGPU',
      failed_providers: expect.stringContaining('cuda: '),
    });

    let worst = 0;
    const random = seededRandom(2);
    for (const rows of [1, 8, 13, 64]) {
      // Missing values only where trees route them.
      const cell = (): number => (model === 'demo.churn' && random() < 0.1 ? Number.NaN : 4 * random() - 2);
      const features = Float32Array.from({ length: rows * columns }, cell);
      const answers = await infer(gpu, model, features, rows);
      const expected = await infer(cpu, model, features, rows);
      expect(answers).toHaveLength(expected.length);
      answers.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - (expected[i] ?? Number.NaN)))));
    }
    process.stdout.write(`${model}: WebGPU differs from the CPU by ${worst.toExponential(1)} at most\n`);
    expect(worst).toBeLessThanOrEqual(TOLERANCE);
  });

  it('leaves a model of float64 to the CPU, and says why wherever it says what serves', async () => {
    const { properties } = await metadataOf(gpu, 'demo.lifetime');
    expect(properties).toMatchObject({
      device: 'CPU',
      failed_providers: expect.stringMatching(
        /cuda: .+; webgpu: .*nodes that are assigned to the default CPU/,
      ),
    });
    const { serving } = (await (await gpu.get('/models')).json()) as {
      serving: { model: string; device: string; failedProviders: { provider: string }[] }[];
    };
    expect(Object.fromEntries(serving.map(({ model, device }) => [model, device]))).toEqual({
      'demo.recommend': 'WEBGPU',
      'demo.lead': 'WEBGPU',
      'demo.churn': 'WEBGPU',
      'demo.lifetime': 'CPU',
      'demo.price': 'CPU',
      'demo.uplift': 'WEBGPU',
    });
    const lifetime = serving.find(({ model }) => model === 'demo.lifetime');
    expect(lifetime?.failedProviders.map(({ provider }) => provider)).toEqual(['cuda', 'webgpu']);
    const page = await (await gpu.get('/metrics')).text();
    expect(page).toMatch(/sextant_inference_provider_info\{.*model="demo\.churn".*provider="webgpu".*\} 1/);
    expect(page).toMatch(/sextant_inference_provider_info\{.*model="demo\.lifetime".*provider="cpu".*\} 1/);
    expect(page).toContain('sextant_inference_provider_failures_total{provider="webgpu"} 1');
    const refusals = gpu.log.filter(({ msg }) => msg === 'provider does not take the model');
    expect(refusals.filter(({ provider }) => provider === 'webgpu')).toHaveLength(1);
    expect(refusals.filter(({ provider }) => provider === 'cuda')).toHaveLength(5);
  });

  it('leaves a model where its own configuration puts it', async () => {
    const { properties } = await metadataOf(gpu, 'demo.price');
    expect(properties).toMatchObject({ device: 'CPU' });
    expect(properties).not.toHaveProperty('failed_providers');
  });

  it('says in a decision what computed it: the GPU, or a CPU thread where it is explained', async () => {
    const rows = {
      rows: 1,
      numeric: [{ name: 'visits', values: Buffer.from(Float64Array.of(0.7).buffer) }],
      categorical: [{ name: 'channel', dictionary: ['web'], codes: Buffer.alloc(4) }],
    };
    const ask = (worker: WorkerChild, explain: boolean): Promise<ScoreAnswer> =>
      worker.call(decisionsService, 'ScoreLeads', { model: 'demo.lead', rows, explain });
    const [plain, explained, expected] = await Promise.all([
      ask(gpu, false),
      ask(gpu, true),
      ask(cpu, false),
    ]);

    expect(plain.servedBy.device).toBe('WEBGPU');
    expect(explained.servedBy.device).toBe('CPU');
    expect(expected.servedBy.device).toBe('CPU');
    for (const { scores } of [plain, explained])
      expect(scores[0]?.probability).toBeCloseTo(expected.scores[0]?.probability ?? Number.NaN, 5);
  });

  it('serves rows of many callers at once, each its own', async () => {
    const random = seededRandom(3);
    const calls = Array.from({ length: 60 }, async () => {
      const rows = 1 + Math.floor(random() * 5);
      const features = Float32Array.from({ length: 4 * rows }, () => 4 * random() - 2);
      const [answers, expected] = await Promise.all([
        infer(gpu, 'demo.churn', features, rows),
        infer(cpu, 'demo.churn', features, rows),
      ]);
      return Math.max(...answers.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
    });
    expect(Math.max(...(await Promise.all(calls)))).toBeLessThanOrEqual(TOLERANCE);
  });
});

describe.skipIf(process.platform !== 'linux')('a worker that looks for a GPU where there is none', () => {
  it('serves on the CPU and says of each provider why', async () => {
    const repository = await everyKind();
    const env = { ...NO_DRIVER, INFERENCE_PROVIDERS: 'cuda,webgpu,cpu' };
    const worker = await startWorkerChild(repository.directory.root, env);
    const { properties } = await metadataOf(worker, 'demo.lead');
    await worker.stop();
    await repository.remove();

    expect(properties).toMatchObject({
      device: 'CPU',
      failed_providers: expect.stringMatching(/^cuda: .+; webgpu: Failed to get a WebGPU adapter/),
    });
  });
});
