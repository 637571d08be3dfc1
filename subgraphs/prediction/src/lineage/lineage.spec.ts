import { ROLE_SCOPES } from '@sextant/domain';
import { customerIdOf } from '@sextant/features';
import { TrainingMembers } from '@sextant/model-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction } from '../testing/prediction.fixture.js';

let prediction: Awaited<ReturnType<typeof aPrediction>>;
beforeAll(async () => {
  prediction = await aPrediction();
  const members = new TrainingMembers(prediction.db);
  const version = async (tenantId: string, number: number, refs: string[]) => {
    const [model, versionId] = [`${tenantId}.churn`, `${tenantId}.churn@${number}`];
    const fields = {
      tenantId,
      model,
      task: 'churn',
      version: number,
      stage: 'RETIRED',
      gates: [],
      history: [],
    };
    await prediction.db
      .collection<{ _id: string; trainedAt: Date }>('model_versions')
      .insertOne({ _id: versionId, ...fields, trainedAt: new Date(Date.UTC(2026, 0, number)) });
    if (refs.length > 0)
      await members.record(
        { tenantId, versionId },
        refs.map((ref) => customerIdOf(tenantId, ref)),
      );
  };
  await version('demo', 1, ['shop:1', 'shop:2']);
  await version('demo', 2, ['shop:2']);
  await version('demo', 3, []);
  await version('other', 1, ['shop:1']);
});
afterAll(() => prediction.stop());

describe('trainedOn', () => {
  it('names the versions that learnt from a customer, newest first, by ref and by id', async () => {
    const fields = '{ id stage trainingCustomers }';
    const { data, errors } = await prediction.ask(
      `{ a: trainedOn(customerRef: "shop:2") ${fields} b: trainedOn(customerId: "${customerIdOf('demo', 'shop:1')}") ${fields} c: trainedOn(customerRef: "shop:9") ${fields} }`,
    );
    expect(errors).toBeUndefined();
    const [second, first] = [
      { id: 'demo.churn@2', stage: 'RETIRED', trainingCustomers: 1 },
      { id: 'demo.churn@1', stage: 'RETIRED', trainingCustomers: 2 },
    ];
    expect(data).toEqual({ a: [second, first], b: [first], c: [] });
  });

  it('knows nothing of other tenants, and of a version whose members nobody recorded', async () => {
    const { data } = await prediction.ask('{ model(id: "churn") { versions { id trainingCustomers } } }');
    expect(data.model.versions).toEqual([
      { id: 'demo.churn@3', trainingCustomers: null },
      { id: 'demo.churn@2', trainingCustomers: 1 },
      { id: 'demo.churn@1', trainingCustomers: 2 },
    ]);
    const id = customerIdOf('other', 'shop:1');
    expect((await prediction.ask(`{ trainedOn(customerId: "${id}") { id } }`)).data.trainedOn).toEqual([]);
  });

  it('wants one name of the customer, and the right to read profiles', async () => {
    for (const args of ['(customerId: "a", customerRef: "b")', '']) {
      const { errors } = await prediction.ask(`{ trainedOn${args} { id } }`);
      expect(errors?.[0]?.extensions.code).toBe('INVALID_INPUT');
    }
    const marketer = anIdentity({ roles: ['marketer'], scopes: ROLE_SCOPES.marketer });
    const { errors } = await prediction.ask('{ trainedOn(customerRef: "shop:1") { id } }', {}, marketer);
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
