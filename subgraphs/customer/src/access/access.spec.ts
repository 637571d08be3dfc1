import { AuditChains, AuditLog } from '@sextant/audit';
import { type Identity, ROLE_SCOPES } from '@sextant/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aCustomerSubgraph } from '../test-customer-subgraph.js';

let running: Awaited<ReturnType<typeof aCustomerSubgraph>>;
beforeAll(async () => {
  running = await aCustomerSubgraph();
});
afterAll(() => running?.stop());

const operator: Identity = {
  ...{ subject: 'ada', tenantId: 'demo', roles: ['operator'] },
  scopes: ROLE_SCOPES.operator,
};
const CREATE = `mutation($i: CreateAccessKeyInput!) { createAccessKey(input: $i) {
  accessKey { id label roles scopes createdBy expiresAt revokedAt } secret userErrors { code field message } } }`;

async function create(input: Record<string, unknown>, identity: Identity = operator) {
  const i = { label: 'crm', roles: ['web'], expiresInDays: 30, ...input };
  const { data, errors } = await running.askAs(identity, CREATE, { i });
  return { errors, ...data?.['createAccessKey'] };
}

describe('createAccessKey', () => {
  it('tells the secret once and lists the key without it', async () => {
    const { accessKey, secret, userErrors } = await create({ label: 'listed' });
    expect(userErrors).toEqual([]);
    expect(secret).toMatch(new RegExp(`^sxk_demo_${accessKey.id}_[\\w-]{43}$`));
    expect(accessKey).toMatchObject({ label: 'listed', roles: ['web'], scopes: [...ROLE_SCOPES.web] });
    expect(accessKey).toMatchObject({
      createdBy: 'ada',
      expiresAt: '2026-03-31T12:00:00.000Z',
      revokedAt: null,
    });
    const { data } = await running.askAs(
      operator,
      '{ accessKeys(first: 100) { nodes { id label lastUsedOn } edges { cursor } pageInfo { hasNextPage } } }',
    );
    expect(data?.['accessKeys'].nodes).toContainEqual({
      id: accessKey.id,
      label: 'listed',
      lastUsedOn: null,
    });
  });

  it.each([
    ['a role with more scopes than their own', { roles: ['operator'] }, 'input.roles'],
    ['a scope that they lack', { scopes: ['model:promote'] }, 'input.scopes'],
    ['a scope that there is not', { scopes: ['everything'] }, 'input.scopes'],
    ['a role that there is not', { roles: ['constructor'] }, 'input.roles'],
    ['no role', { roles: [] }, 'input.roles'],
    ['no label', { label: '' }, 'input.label'],
    ['a year and a day', { expiresInDays: 366 }, 'input.expiresInDays'],
    ['no time', { expiresInDays: 0 }, 'input.expiresInDays'],
  ])('refuses a marketer %s', async (_what, input, field) => {
    const marketer: Identity = {
      ...{ subject: 'bob', tenantId: 'demo', roles: ['marketer'] },
      scopes: [...ROLE_SCOPES.marketer, 'events:write', 'outcome:write', 'access:write'],
    };
    const { accessKey, secret, userErrors } = await create(input, marketer);
    expect([accessKey, secret]).toEqual([null, null]);
    expect(userErrors).toMatchObject([{ code: 'INVALID_INPUT', field }]);
  });

  it('gives no key a role that opens what the own roles do not, whatever scopes a token carries', async () => {
    const shop: Identity = { ...operator, roles: ['web'] };
    const { accessKey, secret, userErrors } = await create({ roles: ['analyst'] }, shop);
    expect([accessKey, secret]).toEqual([null, null]);
    expect(userErrors).toMatchObject([{ code: 'INVALID_INPUT', field: 'input.roles' }]);
    expect((await create({ roles: ['web'] }, shop)).userErrors).toEqual([]);
  });

  it('lets no key make keys', async () => {
    const { errors } = await create({}, { ...operator, clientId: 'key:0123456789abcdef' });
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  it('creates nothing the second time under one idempotency key', async () => {
    const first = await create({ idempotencyKey: 'once' });
    expect(first.userErrors).toEqual([]);
    const second = await create({ idempotencyKey: 'once' });
    expect([second.secret, second.userErrors[0].code]).toEqual([null, 'IDEMPOTENCY_CONFLICT']);
    const elsewhere = await create({ idempotencyKey: 'once' }, { ...operator, tenantId: 'other' });
    expect(elsewhere.userErrors).toEqual([]);
  });
});

describe('revokeAccessKey', () => {
  const REVOKE =
    'mutation($id: ID!) { revokeAccessKey(id: $id) { accessKey { id revokedAt } userErrors { code } } }';

  it('ends a key of the tenant, once, and none of another', async () => {
    const { accessKey } = await create({});
    const revoke = async (identity: Identity) =>
      (await running.askAs(identity, REVOKE, { id: accessKey.id })).data?.['revokeAccessKey'];
    expect((await revoke({ ...operator, tenantId: 'other' })).userErrors).toEqual([
      { code: 'ACCESS_KEY_NOT_FOUND' },
    ]);
    const first = await revoke(operator);
    expect(first.accessKey.revokedAt).toBe('2026-03-01T12:00:00.000Z');
    running.clock.at = new Date('2026-03-01T13:00:00Z');
    expect(await revoke(operator)).toEqual(first);
  });
});

describe('auditLog', () => {
  it('pages through what gateways wrote, newest first, of the own tenant only', async () => {
    const chains = new AuditChains(running.db);
    const log = new AuditLog({
      ...{ chains, secret: 'what links the log has forty letters or so', timeoutMs: 5_000 },
      ...{ clock: running.clock, onAnchorFailed: () => undefined },
    });
    const what = {
      ...{ requestId: 'r', subject: 'ada', clientId: null, roles: ['operator'], operation: 'Do' },
      ...{ operationHash: 'ab', fields: [{ name: 'do', argumentsDigest: 'cd', ids: ['id=1'] }] },
    };
    const done = await log.append('demo', { kind: 'INTENT', what });
    await log.append('demo', {
      kind: 'OUTCOME',
      what: { of: done, outcome: 'FAILED', codes: ['QUEUE_FULL'] },
    });
    await log.append('demo', { kind: 'REFUSAL', what: { ...what, codes: ['FORBIDDEN'] } });
    await log.append('demo', { kind: 'INTENT', what });
    await log.append('other', { kind: 'INTENT', what });
    await log.close();
    const query = `query($after: String) { auditLog(first: 2, after: $after) {
      nodes { seq outcome codes fields { name ids } } endCursor hasNextPage } }`;
    const first = (await running.askAs(operator, query)).data?.['auditLog'];
    const fields = [{ name: 'do', ids: ['id=1'] }];
    expect(first.nodes).toEqual([
      { seq: 4, outcome: 'UNKNOWN', codes: [], fields },
      { seq: 3, outcome: 'REFUSED', codes: ['FORBIDDEN'], fields },
    ]);
    const second = (await running.askAs(operator, query, { after: first.endCursor })).data?.['auditLog'];
    expect(second.nodes).toEqual([{ seq: 1, outcome: 'FAILED', codes: ['QUEUE_FULL'], fields }]);
    expect([first.hasNextPage, second.hasNextPage]).toEqual([true, false]);
  });

  it('is for those who may read it', async () => {
    const { errors } = await running.askAs({ ...operator, scopes: [] }, '{ auditLog { endCursor } }');
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
