import { afterEach, describe, expect, it } from 'vitest';
import { infer, putPlain } from '../testing/plain-models.js';
import { aRepository, type TestRepository } from '../testing/test-models.js';
import { eventually, sample, startTestWorker, type TestWorker } from '../testing/test-worker.js';

const CALLS = 10_000;
const CALLERS = 32;

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function repository(...models: string[]): Promise<TestRepository> {
  const made = await aRepository();
  cleanUp.push(() => made.remove());
  for (const model of models)
    for (const version of [1, 2, 3]) await putPlain(made.directory.root, model, version);
  return made;
}

async function worker(root: string, env: Record<string, string>): Promise<TestWorker> {
  const started = await startTestWorker(root, { MODEL_AUTOCOMPLETE: 'true', ...env });
  cleanUp.push(() => started.stop());
  return started;
}

const expected = (version: string, x: number[]): number[] =>
  x.map((value) => (version === '1' ? value : version === '2' ? -value : Math.abs(value)));

interface Load {
  calls: number;
  callers: number;
  /** what happens meanwhile; it sees how many calls were made */
  change?: (made: () => number) => Promise<void>;
}

/** Calls until `change` is done and the calls were made. @returns how often each version answered */
async function underLoad(
  target: TestWorker,
  models: readonly string[],
  { calls, callers, change = async () => undefined }: Load,
): Promise<Record<string, number>> {
  const answered: Record<string, number> = {};
  let made = 0;
  let isChanging = true;
  const caller = async (k: number): Promise<void> => {
    while (isChanging || made < calls) {
      const call = made++;
      const x = [-call, k];
      const model = models[call % models.length] ?? '';
      const { version, y } = await infer(target, model, { id: `customer-${call % 500}`, x });
      expect(y).toEqual(expected(version, x));
      answered[version] = (answered[version] ?? 0) + 1;
    }
  };
  const changing = change(() => made).finally(() => (isChanging = false));
  await Promise.all([changing, ...Array.from({ length: callers }, (_, k) => caller(k))]);
  expect(made).toBeGreaterThanOrEqual(calls);
  return answered;
}

describe('under load no call fails and each gets the answer of the version that it names', () => {
  it('while versions swap, canaries grow, shadows run and versions come and go', async () => {
    const { directory } = await repository('plain');
    await directory.setLiveVersion('plain', 1);
    const target = await worker(directory.root, {});
    const change = async (made: () => number): Promise<void> => {
      for (let round = 0; round < 10; round++) {
        const live = 1 + (round % 2);
        const canary = { version: 3, share: round / 10 };
        await directory.setServing(
          'plain',
          round % 3 === 2 ? {} : { canary, shadow: { version: 3 - live, share: 0.5 } },
        );
        await directory.setLiveVersion('plain', live);
        const from = made();
        await eventually(() => made() > from + CALLS / 12, 30_000);
      }
    };
    const answered = await underLoad(target, ['plain'], { calls: CALLS, callers: CALLERS, change });
    for (const version of ['1', '2', '3']) expect(answered[version]).toBeGreaterThan(100);
  });

  it('while versions leave memory because they are idle, and come back', async () => {
    const { directory } = await repository('plain');
    const target = await worker(directory.root, { MODEL_IDLE_UNLOAD_MS: '50' });
    const unloads = async (): Promise<number> =>
      sample(await target.metrics(), 'sextant_model_unloads_total{model="plain",reason="idle"}');
    for (let round = 0; round < 5; round++) {
      const before = await unloads();
      await eventually(async () => (await unloads()) > before);
      const answers = await Promise.all(
        Array.from({ length: CALLERS }, (_, k) => infer(target, 'plain', { x: [-k, k] })),
      );
      for (const [k, { y }] of answers.entries()) expect(y).toEqual([k, k]);
    }
  });

  it('while more models are called than there is memory for', async () => {
    const models = ['a', 'b', 'c'];
    const { directory } = await repository(...models);
    // Two of the three fit.
    const target = await worker(directory.root, { MODEL_MEMORY_BYTES: '1200000', INFERENCE_INLINE_MS: '0' });
    const answered = await underLoad(target, models, { calls: 300, callers: 6 });
    expect(answered['3']).toBeGreaterThanOrEqual(300);
    const page = await target.metrics();
    const evictions = models.map((model) =>
      sample(page, `sextant_model_unloads_total{model="${model}",reason="evicted"}`),
    );
    expect(Math.min(...evictions)).toBeGreaterThan(0);
  });
});
