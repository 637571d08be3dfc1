import { Challenges } from '@sextant/model-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPrediction } from '../testing/prediction.fixture.js';

const ASK = `{ model(id: "churn") { versions { id challenge {
  championId judgement sentence at outcomes { decisions verdict difference { value low high level } } } } } }`;

let prediction: Awaited<ReturnType<typeof aPrediction>>;
beforeAll(async () => {
  prediction = await aPrediction();
  const challenges = new Challenges(prediction.db);
  for (const [tenantId, verdict] of [
    ['demo', 'UNDECIDED'],
    ['other', 'WORSE'],
  ] as const) {
    for (const version of [1, 2]) {
      const [model, _id] = [`${tenantId}.churn`, `${tenantId}.churn@${version}`];
      await prediction.db.collection<{ _id: string }>('model_versions').insertOne({
        ...{ _id, tenantId, model, task: 'churn', version, stage: version === 1 ? 'LIVE' : 'SHADOW' },
        ...{ gates: [], history: [], trainedAt: new Date(), card: {} },
      });
    }
    await challenges.save({
      ...{ tenantId, versionId: `${tenantId}.churn@2`, championId: `${tenantId}.churn@1` },
      ...{ judgement: 'CONTENT', sentence: '300 answers, 0 failures', at: new Date('2026-03-01T00:00:00Z') },
      outcomes: { decisions: 40, difference: 0.01, low: -0.2, high: 0.3, level: 0.99, verdict },
    });
  }
});
afterAll(() => prediction.stop());

describe('ModelVersion.challenge', () => {
  it('tells how a challenger does, of the own tenant, and is null for who is none', async () => {
    const { data, errors } = await prediction.ask(ASK);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      model: {
        versions: [
          {
            id: 'demo.churn@2',
            challenge: {
              championId: 'demo.churn@1',
              judgement: 'CONTENT',
              sentence: '300 answers, 0 failures',
              at: '2026-03-01T00:00:00.000Z',
              outcomes: {
                decisions: 40,
                verdict: 'UNDECIDED',
                difference: { value: 0.01, low: -0.2, high: 0.3, level: 0.99 },
              },
            },
          },
          { id: 'demo.churn@1', challenge: null },
        ],
      },
    });
  });
});
