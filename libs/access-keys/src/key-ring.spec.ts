import { DomainError } from '@sextant/domain';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newPresentedKey, textOf } from './access-key.js';
import { AccessKeyRepository } from './access-key.repository.js';
import { KeyRing } from './key-ring.js';

const START = new Date('2026-03-01T12:00:00Z');
let mongo: TestMongo;
let client: MongoClient;
let repository: AccessKeyRepository;
beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
  repository = new AccessKeyRepository(client.db());
  await repository.ensureIndexes();
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

const rings: KeyRing[] = [];
afterEach(async () => {
  for (const ring of rings.splice(0)) await ring.close();
});

let now: Date;
let isStoreUp: boolean;
let reads: number;
beforeEach(() => {
  [now, isStoreUp, reads] = [START, true, 0];
});

const after = (ms: number): void => {
  now = new Date(now.getTime() + ms);
};

/** Over the real store, which can be made to fail. */
function aRing(): KeyRing {
  const keys = {
    find: (tenantId: string, id: string) => {
      reads += 1;
      return isStoreUp ? repository.find(tenantId, id) : Promise.reject(new Error('the store is down'));
    },
    noteUse: (tenantId: string, id: string, day: string) => repository.noteUse(tenantId, id, day),
  };
  const onProblem = (error: unknown) => {
    throw error;
  };
  const ring = new KeyRing({ keys, clock: { now: () => now }, graceMs: 60_000, onProblem });
  rings.push(ring);
  return ring;
}

const aKey = (expiresAt = new Date('2026-04-01T00:00:00Z')) =>
  repository.create('demo', {
    ...{ label: 'crm', roles: ['web'], scopes: ['catalogue:read'], createdBy: 'ada' },
    ...{ createdAt: START, expiresAt },
  });

const codeOf = (identified: Promise<unknown>) =>
  identified.then(
    () => 'admitted',
    (error: unknown) => (error instanceof DomainError ? error.code : String(error)),
  );

describe('an access key', () => {
  it('is its machine, with its roles and scopes, and its secret is nowhere in the store', async () => {
    const { key, text } = await aKey();
    expect(await aRing().identify(text)).toEqual({
      ...{ subject: `key:${key.id}`, clientId: `key:${key.id}`, tenantId: 'demo' },
      ...{ roles: ['web'], scopes: ['catalogue:read'] },
    });
    expect(text).toMatch(/^sxk_demo_[0-9a-f]{16}_[\w-]{43}$/);
    const stored = JSON.stringify(await client.db().collection('access_keys').find().toArray());
    expect(stored).not.toContain(text.slice(-43));
  });

  it('is refused with another secret, of another tenant, unknown, or cut', async () => {
    const { text } = await aKey();
    const wrong = [
      `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`,
      text.replace('sxk_demo_', 'sxk_other_'),
      textOf(newPresentedKey('demo')),
      text.slice(0, -1),
      'sxk_',
      '',
    ];
    for (const bad of wrong) expect(await codeOf(aRing().identify(bad))).toBe('UNAUTHENTICATED');
  });

  it('ends at its expiry and not before', async () => {
    const { text } = await aKey(new Date(START.getTime() + 1));
    const ring = aRing();
    expect(await codeOf(ring.identify(text))).toBe('admitted');
    after(1);
    await expect(ring.identify(text)).rejects.toThrow(/expired/);
  });

  it('is refused within five seconds of its revocation, without a read for each request', async () => {
    const { key, text } = await aKey();
    const ring = aRing();
    for (let i = 0; i < 100; i += 1) await ring.identify(text);
    expect(reads).toBe(1);
    await repository.revoke('demo', key.id, now);
    after(5_000);
    await expect(ring.identify(text)).rejects.toThrow(/revoked/);
  });

  it('is read once for a crowd that comes at the same time', async () => {
    const { text } = await aKey();
    const ring = aRing();
    await Promise.all(Array.from({ length: 500 }, () => ring.identify(text)));
    expect(reads).toBe(1);
  });

  it('is refused in time after its revocation also while others are being guessed', async () => {
    const { key, text } = await aKey();
    const ring = aRing();
    await ring.identify(text);
    await repository.revoke('demo', key.id, now);
    after(5_000);
    const guesses = Array.from({ length: 200 }, () => codeOf(ring.identify(textOf(newPresentedKey('demo')))));
    await expect(ring.identify(text)).rejects.toThrow(/revoked/);
    const codes = await Promise.all(guesses);
    expect(codes.filter((code) => code === 'UNAUTHENTICATED').length).toBe(64);
    expect(codes.filter((code) => code === 'IDENTITY_UNAVAILABLE').length).toBe(136);
  });

  it('works on for a bounded time while the store is down; one that was never read says to try again', async () => {
    const { text } = await aKey();
    const ring = aRing();
    await ring.identify(text);
    isStoreUp = false;
    after(59_999);
    expect(await codeOf(ring.identify(text))).toBe('admitted');
    expect(await codeOf(ring.identify((await aKey()).text))).toBe('IDENTITY_UNAVAILABLE');
    after(1);
    expect(await codeOf(ring.identify(text))).toBe('IDENTITY_UNAVAILABLE');
    isStoreUp = true;
    expect(await codeOf(ring.identify(text))).toBe('admitted');
  });

  it('that was revoked before the store went down stays refused', async () => {
    const { key, text } = await aKey();
    const ring = aRing();
    await repository.revoke('demo', key.id, now);
    expect(await codeOf(ring.identify(text))).toBe('UNAUTHENTICATED');
    isStoreUp = false;
    after(30_000);
    expect(await codeOf(ring.identify(text))).toBe('UNAUTHENTICATED');
  });

  it('gives the same identity while its rights are the same, so that what is known of it is used again', async () => {
    const { text } = await aKey();
    const ring = aRing();
    const before = await ring.identify(text);
    after(6_000);
    expect(await ring.identify(text)).toBe(before);
  });

  it('tells the day of its last use', async () => {
    const { key, text } = await aKey();
    await aRing().identify(text);
    const deadline = Date.now() + 5_000;
    const find = async () =>
      (await repository.list('demo', { after: null, limit: 100 })).find(({ id }) => id === key.id);
    while ((await find())?.lastUsedOn !== '2026-03-01') expect(Date.now()).toBeLessThan(deadline);
  });
});
