import { ROLE_SCOPES } from '@sextant/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, leadForm, type Prediction } from '../testing/prediction.fixture.js';

const RECORD = `mutation ($outcomes: [OutcomeInput!]!) {
  recordOutcomes(outcomes: $outcomes) { recorded duplicates unknown rejected { idempotencyKey code message } }
}`;
const SCORE = '{ scoreLeads(customerIds: ["%"]) { decisionId decidedAt } }';
const OUTCOME = 'query ($id: ID!) { decision(id: $id) { id outcome { reward at count source } } }';

describe('outcomes of decisions', () => {
  let prediction: Prediction;
  let customer: string;
  beforeAll(async () => {
    prediction = await aPrediction();
    [customer = ''] = await prediction.customers([[leadForm(2_000)]]);
  });
  afterAll(() => prediction.stop());
  const decided = async (): Promise<{ decisionId: string; decidedAt: string }> => {
    const { data } = await prediction.ask(SCORE.replace('%', customer));
    return data.scoreLeads[0];
  };
  const outcomeOf = async (id: string, as = anIdentity()) =>
    (await prediction.ask(OUTCOME, { id }, as)).data.decision?.outcome;

  it('are recorded at once, before the decision is stored, and told with it', async () => {
    const { decisionId, decidedAt } = await decided();
    expect(await outcomeOf(decisionId)).toBeNull();
    const outcome = { decisionId, reward: 1, at: decidedAt, idempotencyKey: 'won' };
    const first = await prediction.ask(RECORD, { outcomes: [outcome] });
    expect(first.data.recordOutcomes).toEqual({ recorded: 1, duplicates: 0, unknown: [], rejected: [] });
    const again = await prediction.ask(RECORD, {
      outcomes: [outcome, { ...outcome, reward: 0.5, idempotencyKey: 'more' }],
    });
    expect(again.data.recordOutcomes).toMatchObject({ recorded: 1, duplicates: 1 });
    expect(await outcomeOf(decisionId)).toEqual({ reward: 1.5, at: decidedAt, count: 2, source: 'RECORDED' });
  });

  it('are taken or refused row by row', async () => {
    const { decisionId, decidedAt: at } = await decided();
    const { data } = await prediction.ask(RECORD, {
      outcomes: [
        { decisionId, reward: 2e9, at, idempotencyKey: 'a' },
        { decisionId: 'dec_0', reward: 1, at, idempotencyKey: 'b' },
        { decisionId, reward: 1, at, idempotencyKey: 'c' },
        { decisionId, reward: 2, at, idempotencyKey: 'won' },
      ],
    });
    expect(data.recordOutcomes).toMatchObject({ recorded: 1, duplicates: 0, unknown: ['dec_0'] });
    expect(data.recordOutcomes.rejected).toMatchObject([
      { idempotencyKey: 'a', code: 'INVALID_INPUT' },
      { idempotencyKey: 'won', code: 'IDEMPOTENCY_CONFLICT' },
    ]);
  });

  it('belong to a tenant: another one neither records nor reads them', async () => {
    const { decisionId, decidedAt: at } = await decided();
    const stranger = anIdentity({ tenantId: 'other' });
    const outcomes = [{ decisionId, reward: 1, at, idempotencyKey: 'foreign' }];
    await prediction.ask(RECORD, { outcomes }, stranger);
    expect(await outcomeOf(decisionId)).toBeNull();
    expect(await outcomeOf(decisionId, stranger)).toBeUndefined();
  });

  it('need their own scope, and come a thousand at a time', async () => {
    const reader = anIdentity({ roles: ['analyst'], scopes: ROLE_SCOPES.analyst });
    expect((await prediction.ask(RECORD, { outcomes: [] }, reader)).errors?.[0]?.extensions.code).toBe(
      'FORBIDDEN',
    );
    const at = new Date().toISOString();
    const many = Array.from({ length: 1_001 }, (_, i) => ({
      ...{ decisionId: 'dec_0', reward: 1, at, idempotencyKey: `k${i}` },
    }));
    const { errors } = await prediction.ask(RECORD, { outcomes: many });
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'BATCH_TOO_LARGE' } });
    const { data } = await prediction.ask(RECORD, { outcomes: many.slice(1) });
    expect(data.recordOutcomes).toMatchObject({ recorded: 0, unknown: ['dec_0'] });
  });
});
