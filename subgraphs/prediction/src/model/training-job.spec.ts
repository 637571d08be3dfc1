import { TrainingJobs } from '@sextant/model-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction } from '../testing/prediction.fixture.js';

let prediction: Awaited<ReturnType<typeof aPrediction>>;
beforeAll(async () => {
  prediction = await aPrediction();
});
afterAll(() => prediction.stop());

const TRAIN = 'mutation($i: TrainInput!) { trainModel(input: $i) { id task seed dataFrom dataTo } }';

describe('trainModel', () => {
  it('takes a period and a seed, and hands them to whoever trains', async () => {
    const period = { dataFrom: '2026-01-01T00:00:00Z', dataTo: '2026-02-01T00:00:00Z' };
    const input = { task: 'churn', seed: 7, ...period, idempotencyKey: 'k' };
    const { data } = await prediction.ask(TRAIN, { i: input });
    expect(data.trainModel).toMatchObject({
      seed: 7,
      dataFrom: '2026-01-01T00:00:00.000Z',
      dataTo: '2026-02-01T00:00:00.000Z',
    });
    expect(await new TrainingJobs(prediction.db).find('demo', data.trainModel.id)).toMatchObject({
      seed: 7,
      dataFrom: new Date(period.dataFrom),
      dataTo: new Date(period.dataTo),
    });
    const again = await prediction.ask(TRAIN, { i: input });
    expect(again.data.trainModel.id).toBe(data.trainModel.id);
    const other = await prediction.ask(TRAIN, { i: { ...input, seed: 8 } });
    expect(other.errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_CONFLICT');
  });

  it('draws by 42 from the beginning until it starts, unless told otherwise', async () => {
    const { data } = await prediction.ask(TRAIN, { i: { task: 'lead' } });
    expect(data.trainModel).toMatchObject({ seed: 42, dataFrom: null, dataTo: null });
  });

  it.each([
    [{ seed: -1 }, 'input.seed'],
    [{ dataFrom: '2026-01-01T00:00:00Z', dataTo: '2026-01-01T00:00:00Z' }, 'dataFrom'],
  ])('refuses %j and names it', async (input, name) => {
    const { errors } = await prediction.ask(TRAIN, { i: { task: 'lead', ...input } });
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'INVALID_INPUT' } });
    expect(errors?.[0]?.message).toContain(name);
  });
});

describe('trainingJobs', () => {
  it("lists this tenant's runs, newest first, of one task or all", async () => {
    const as = anIdentity({ tenantId: 'lists' });
    for (const task of ['price', 'lead', 'price']) await prediction.ask(TRAIN, { i: { task } }, as);
    const tasksOf = async (args: string) =>
      (await prediction.ask(`{ trainingJobs${args} { task } }`, {}, as)).data?.trainingJobs.map(
        ({ task }: { task: string }) => task,
      );
    expect(await tasksOf('')).toHaveLength(3);
    expect(await tasksOf('(task: "price")')).toEqual(['price', 'price']);
    expect(await tasksOf('(first: 1)')).toHaveLength(1);
    const { errors } = await prediction.ask('{ trainingJobs(task: "weather") { id } }', {}, as);
    expect(errors?.[0]?.extensions.code).toBe('INVALID_INPUT');
  });
});
