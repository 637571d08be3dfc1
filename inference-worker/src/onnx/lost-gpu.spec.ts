import { afterEach, describe, expect, it } from 'vitest';
import { spawnThreadThatLosesItsGpu } from '../testing/lost-gpu-thread.js';
import { aRepository, publishLead } from '../testing/test-models.js';
import { eventually, sample, startTestWorker } from '../testing/test-worker.js';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Runs of the model before its GPU is gone; more than its callers make at first. */
const RUNS_ON_GPU = 20;

describe('a worker whose GPU is lost under load', () => {
  it('answers every call, from the CPU from then on, and says so in answers, metrics and metadata', async () => {
    const { directory, remove } = await aRepository();
    cleanUp.push(remove);
    await publishLead(directory);
    const env = { INFERENCE_PROVIDERS: 'cuda,cpu', INFERENCE_INLINE_MS: '0' };
    const worker = await startTestWorker(directory.root, env, {
      spawn: () => spawnThreadThatLosesItsGpu(RUNS_ON_GPU),
    });
    cleanUp.push(() => worker.stop());
    const rows = {
      rows: 1,
      numeric: [{ name: 'visits', values: Buffer.from(Float64Array.of(0.5).buffer) }],
      categorical: [{ name: 'channel', dictionary: ['web'], codes: Buffer.alloc(4) }],
    };
    const devices: string[] = [];
    const caller = async (): Promise<void> => {
      for (let call = 0; call < 30; call++) {
        const answer = await worker.client.scoreLeads({ model: 'demo.lead', rows }, { deadlineMs: 10_000 });
        expect(answer.scores[0]?.probability).toBeCloseTo(1 / (1 + Math.exp(-1.5)), 5);
        devices.push(answer.servedBy.device);
      }
    };
    await Promise.all(Array.from({ length: 4 }, caller));

    expect(devices[0]).toBe('CUDA');
    expect(devices.at(-1)).toBe('CPU');
    expect(devices.lastIndexOf('CUDA')).toBeLessThan(devices.lastIndexOf('CPU'));
    const page = await worker.metrics();
    expect(sample(page, 'sextant_inference_provider_failures_total{provider="cuda"}')).toBe(1);
    const info = 'sextant_inference_provider_info{model="demo.lead",version="1",provider="cpu"}';
    await eventually(async () => sample(await worker.metrics(), info) === 1);
    const models = (await (await worker.get('/models')).json()) as {
      serving: { failedProviders: unknown }[];
    };
    expect(models.serving[0]?.failedProviders).toEqual([{ provider: 'cuda', failure: 'the device is lost' }]);
  });
});
