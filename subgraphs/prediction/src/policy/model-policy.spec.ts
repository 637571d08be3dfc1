import { ROLE_SCOPES } from '@sextant/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, leadForm, type Prediction, until } from '../testing/prediction.fixture.js';

const FIELDS = `protectedTraits retrain { everyHours onDrift onPerformance onNewEvents } computeMinutesPerDay retireUnreadDays
  rollout { mode shadowMinutes shadowShare canaryMinutes canaryShare } playbooks { band playbook { action owner dueWithin } }`;
const READ = `query ($task: String!) { modelPolicy(task: $task) { task ${FIELDS} } }`;
const SET = `mutation ($task: String!, $input: ModelPolicyInput!) { setModelPolicy(task: $task, input: $input) { task ${FIELDS} } }`;
const SCORE = 'query ($ids: [ID!]!) { scoreLeads(customerIds: $ids) { band playbook { action dueWithin } } }';
const DEFAULTS = {
  protectedTraits: [],
  retrain: { everyHours: null, onDrift: false, onPerformance: false, onNewEvents: null },
  rollout: { mode: 'GATED', shadowMinutes: 0, shadowShare: 0.1, canaryMinutes: 0, canaryShare: 0.05 },
  computeMinutesPerDay: null,
  retireUnreadDays: null,
  playbooks: null,
};

describe('the policy of a model', () => {
  let prediction: Prediction;
  beforeAll(async () => {
    prediction = await aPrediction();
  });
  afterAll(() => prediction.stop());
  const set = (task: string, input: object, as = anIdentity()) => prediction.ask(SET, { task, input }, as);
  const read = async (task: string, as = anIdentity()) =>
    (await prediction.ask(READ, { task }, as)).data.modelPolicy;

  it('is the default until somebody sets it, and keeps what is not named', async () => {
    expect(await read('churn')).toEqual({ task: 'churn', ...DEFAULTS });
    expect(await read('weather')).toBeNull();
    await set('churn', { protectedTraits: ['gender', 'age', 'gender'], computeMinutesPerDay: 60 });
    const { data } = await set('churn', { retrain: { onDrift: true, everyHours: 24 } });
    const expected = {
      ...{ ...DEFAULTS, task: 'churn', protectedTraits: ['gender', 'age'], computeMinutesPerDay: 60 },
      retrain: { ...DEFAULTS.retrain, onDrift: true, everyHours: 24 },
    };
    expect(data.setModelPolicy).toEqual(expected);
    expect(await read('churn')).toEqual(expected);
    expect(await read('churn', anIdentity({ tenantId: 'other' }))).toEqual({ task: 'churn', ...DEFAULTS });
    await set('churn', { retrain: null, protectedTraits: null, computeMinutesPerDay: null });
    expect(await read('churn')).toEqual({ task: 'churn', ...DEFAULTS });
  });

  it('gives each tenant its own playbooks by band', async () => {
    const ids = await prediction.customers([[leadForm(9_000)], [leadForm(2_000)], [leadForm(10)]]);
    const hot = { band: 'HOT', action: 'Ring', owner: 'desk', dueWithin: null };
    const cold = { band: 'COLD', action: 'Wait', owner: 'desk', dueWithin: 'P30D' };
    const scores = async (as = anIdentity()) => (await prediction.ask(SCORE, { ids }, as)).data.scoreLeads;
    const before = await scores();
    expect(before.map(({ playbook }: { playbook: unknown }) => playbook !== null)).toEqual([
      true,
      true,
      false,
    ]);
    await set('lead', { playbooks: [hot, cold] });
    expect(await scores()).toEqual([
      { band: 'HOT', playbook: { action: 'Ring', dueWithin: null } },
      { band: 'WARM', playbook: null },
      { band: 'COLD', playbook: { action: 'Wait', dueWithin: 'P30D' } },
    ]);
    await set('lead', { playbooks: null });
    expect(await until(scores, (now) => now[0].playbook.action !== 'Ring', 1_000)).toEqual(before);
  });

  it.each([
    ['lead', { retrain: { everyHours: 0 } }, 'input.retrain.everyHours'],
    ['lead', { retrain: { onNewEvents: 5 } }, 'input.retrain.onNewEvents'],
    ['lead', { rollout: { canaryShare: 0.6 } }, 'input.rollout.canaryShare'],
    ['lead', { rollout: { shadowShare: 0 } }, 'input.rollout.shadowShare'],
    ['lead', { rollout: { canaryMinutes: -1 } }, 'input.rollout.canaryMinutes'],
    ['lead', { computeMinutesPerDay: 1_441 }, 'input.computeMinutesPerDay'],
    ['lead', { retireUnreadDays: 0 }, 'input.retireUnreadDays'],
    ['lead', { protectedTraits: [''] }, 'input.protectedTraits.0'],
    ['lead', { playbooks: [{ band: 'HIGH', action: 'a', owner: 'o' }] }, 'input.playbooks.0.band'],
    ['price', { playbooks: [] }, 'input.playbooks'],
    [
      'lead',
      { playbooks: [{ band: 'HOT', action: 'a', owner: 'o', dueWithin: '4 hours' }] },
      'input.playbooks.0.dueWithin',
    ],
    ['weather', {}, 'task'],
  ])('refuses for %s %j, naming %s', async (task, input, path) => {
    const { errors } = await set(task, input);
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'INVALID_INPUT' } });
    expect(errors?.[0]?.message).toContain(path);
  });

  it('is set with a scope of its own', async () => {
    const analyst = anIdentity({ roles: ['analyst'], scopes: ROLE_SCOPES.analyst });
    const { errors } = await set('lead', { retireUnreadDays: 30 }, analyst);
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect((await read('lead', analyst)).retireUnreadDays).toBeNull();
  });
});
