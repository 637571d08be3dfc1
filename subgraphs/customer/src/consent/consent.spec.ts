import { customerIdOf } from '@sextant/features';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { aCustomerSubgraph, anEventInput, anIdentity, NOW } from '../test-customer-subgraph.js';

let customer: Awaited<ReturnType<typeof aCustomerSubgraph>>;
beforeAll(async () => {
  customer = await aCustomerSubgraph();
});
afterEach(() => {
  customer.clock.at = NOW;
});
afterAll(() => customer.stop());

const WRITER = anIdentity('demo', ['customer:read', 'profile:read', 'events:write', 'consent:write']);
const SET = `mutation($i: SetConsentInput!) { setConsent(input: $i) {
  customer { id consents { purpose state lawfulBasis changedAt grantedAt expiresAt proof } } userErrors { code field message } } }`;

async function known(customerRef: string): Promise<void> {
  await customer.ingest([anEventInput({ customerRef })]);
}

async function set(input: Record<string, unknown>) {
  const answer = await customer.askAs(WRITER, SET, {
    i: { purpose: 'TRAINING', state: 'DENIED', ...input },
  });
  expect(answer.errors).toBeUndefined();
  return answer.data?.['setConsent'];
}

interface Shown {
  purpose: string;
  state: string;
}
const stateOf = (payload: { customer: { consents: Shown[] } }, purpose = 'TRAINING') =>
  payload.customer.consents.find((consent) => consent.purpose === purpose)?.state;

const storedConsents = (customerRef: string) =>
  customer.db
    .collection('events')
    .find({ customerId: customerIdOf('demo', customerRef), type: 'consent_changed' })
    .sort({ at: 1 })
    .toArray();

describe('consentVersion', () => {
  it('is another after each word and after a grant has run out, and otherwise the same', async () => {
    await known('shop:v');
    const version = async (): Promise<string> => {
      const { data } = await customer.askAs(WRITER, '{ customer(ref: "shop:v") { consentVersion } }');
      return data?.['customer'].consentVersion;
    };
    const seen = [await version()];
    expect(await version()).toBe(seen[0]);
    await set({ customerRef: 'shop:v', state: 'GRANTED', expiresAt: '2027-01-01T00:00:00Z' });
    seen.push(await version());
    customer.clock.at = new Date('2027-01-01T00:00:01Z');
    seen.push(await version());
    expect(await version()).toBe(seen[2]);
    await set({ customerRef: 'shop:v', state: 'DENIED' });
    seen.push(await version());
    expect(new Set(seen).size).toBe(4);
  });
});

describe('setConsent', () => {
  it('shows every purpose, keeps each word as an event, and answers with what it wrote', async () => {
    await known('shop:1');
    const granted = await set({
      customerRef: 'shop:1',
      state: 'GRANTED',
      lawfulBasis: 'consent',
      proof: 'form 7',
      expiresAt: '2027-01-01T00:00:00Z',
    });
    expect(granted.customer.consents).toHaveLength(9);
    expect(granted.customer.consents.at(-1)).toEqual({
      purpose: 'TRAINING',
      state: 'GRANTED',
      lawfulBasis: 'consent',
      changedAt: NOW.toISOString(),
      grantedAt: NOW.toISOString(),
      expiresAt: '2027-01-01T00:00:00.000Z',
      proof: 'form 7',
    });
    expect(granted.customer.consents[0]).toMatchObject({
      purpose: 'ANALYTICS',
      state: 'UNKNOWN',
      changedAt: null,
    });

    expect(stateOf(await set({ customerRef: 'shop:1' }))).toBe('DENIED'); // at the same instant
    expect((await storedConsents('shop:1')).map(({ properties }) => properties['state'])).toEqual([
      'GRANTED',
      'DENIED',
    ]);
  });

  it('counts against a word that is dated ahead', async () => {
    await customer.ingest([
      anEventInput({
        customerRef: 'shop:2',
        type: 'consent_changed',
        at: '2026-03-02T00:00:00Z',
        properties: { purpose: 'TRAINING', state: 'GRANTED' },
      }),
    ]);
    expect(stateOf(await set({ customerRef: 'shop:2' }))).toBe('DENIED');
  });

  it('knows whoever was named in a batch that is not folded yet', async () => {
    const crowd = Array.from({ length: 201 }, (_, i) => anEventInput({ customerRef: `crowd:${i}` }));
    await customer.ingest(crowd);
    const { userErrors } = await set({ customerRef: 'crowd:7' });
    expect(userErrors).toEqual([]);
    expect(await storedConsents('crowd:7')).toHaveLength(1);
  });

  it('shows each change of several in one request', async () => {
    await known('shop:3');
    const one = (alias: string, purpose: string) =>
      `${alias}: setConsent(input: { customerRef: "shop:3", purpose: ${purpose}, state: DENIED }) { customer { consents { purpose state } } }`;
    const { data } = await customer.askAs(WRITER, `mutation { ${one('a', 'ADS')} ${one('b', 'TRAINING')} }`);
    expect([stateOf(data?.['a']), stateOf(data?.['b'])]).toEqual(['UNKNOWN', 'DENIED']);
    expect(stateOf(data?.['b'], 'ADS')).toBe('DENIED');
  });

  it('takes a grant that ran out for no word', async () => {
    await known('shop:4');
    const expiresAt = new Date(NOW.getTime() + 1).toISOString();
    expect(stateOf(await set({ customerRef: 'shop:4', state: 'GRANTED', expiresAt }))).toBe('GRANTED');
    customer.clock.at = new Date(expiresAt);
    const { data } = await customer.ask('{ customer(ref: "shop:4") { consents { purpose state } } }');
    expect(stateOf({ customer: data?.['customer'] })).toBe('UNKNOWN');
  });

  it('writes once for one key, and refuses the key for anything else', async () => {
    await known('shop:5');
    const input = { customerRef: 'shop:5', idempotencyKey: 'k', proof: 'form 8' };
    await set(input);
    expect(stateOf(await set(input))).toBe('DENIED');
    expect(await storedConsents('shop:5')).toHaveLength(1);
    const other = await set({ ...input, state: 'GRANTED' });
    expect(other.userErrors).toMatchObject([{ code: 'IDEMPOTENCY_CONFLICT', field: 'input.idempotencyKey' }]);
  });

  it('names what is wrong: nobody of that name, a proof too long', async () => {
    const nobody = await set({ customerRef: 'shop:404' });
    expect(nobody).toMatchObject({
      customer: null,
      userErrors: [{ code: 'CUSTOMER_NOT_FOUND', field: 'input.customerRef' }],
    });
    await known('shop:6');
    expect((await set({ customerRef: 'shop:6', proof: 'x'.repeat(501) })).userErrors).toMatchObject([
      { code: 'INVALID_INPUT', field: 'input.proof' },
    ]);
    expect((await set({ customerRef: 'shop:6', idempotencyKey: '' })).userErrors).toMatchObject([
      { field: 'input.idempotencyKey' },
    ]);
  });
});

describe('consent_changed through ingestEvents', () => {
  it.each([
    [{ state: 'DENIED' }, 'properties.purpose'],
    [{ purpose: 'TRAINING' }, 'properties.state'],
    [{ purpose: 'SPYING', state: 'DENIED' }, 'properties.purpose'],
    [{ purpose: 'TRAINING', state: 'denied' }, 'properties.state'],
    [{ purpose: 'TRAINING', state: 'GRANTED', expiresAt: 'soon' }, 'properties.expiresAt'],
  ])('refuses %j at %s', async (properties, path) => {
    const { rejected } = await customer.ingest([anEventInput({ type: 'consent_changed', properties })]);
    expect(rejected).toMatchObject([{ code: 'INVALID_INPUT', path }]);
  });

  it('is history, and a late arrival does not undo a later word', async () => {
    const said = (at: string, state: string) =>
      anEventInput({
        customerRef: 'shop:7',
        type: 'consent_changed',
        at,
        properties: { purpose: 'TRAINING', state },
      });
    await customer.ingest([said('2026-02-02T00:00:00Z', 'DENIED')]);
    await customer.ingest([said('2026-02-01T00:00:00Z', 'GRANTED')]);
    const { data } = await customer.ask(
      '{ customer(ref: "shop:7") { consents { purpose state } events(types: ["consent_changed"]) { nodes { at } } } }',
    );
    expect(stateOf({ customer: data?.['customer'] })).toBe('DENIED');
    expect(data?.['customer'].events.nodes).toHaveLength(2);
  });
});

describe('consentPolicy', () => {
  it('learns from who said nothing unless the tenant decides otherwise', async () => {
    const asked = async (tenant: string) =>
      (await customer.askAs({ ...WRITER, tenantId: tenant }, '{ consentPolicy { learnsFromUnknown } }'))
        .data?.['consentPolicy'];
    const { data } = await customer.askAs(
      WRITER,
      'mutation { setConsentPolicy(input: { learnsFromUnknown: false }) { policy { learnsFromUnknown } userErrors { code } } }',
    );
    expect(data?.['setConsentPolicy']).toEqual({ policy: { learnsFromUnknown: false }, userErrors: [] });
    expect(await asked('demo')).toEqual({ learnsFromUnknown: false });
    expect(await asked('other')).toEqual({ learnsFromUnknown: true });
  });
});
