import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuditChains } from './audit-chain.repository.js';
import { anchorMacOf, type AuditEvent } from './audit-entry.js';
import { AuditLog } from './audit-log.js';
import { verifyChain } from './audit-verification.js';

const SECRET = 'a secret of thirty-two characters';
let mongo: TestMongo;
let client: MongoClient;
let chains: AuditChains;
let tenant = 0;
let tenantId: string;

beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri, { monitorCommands: true }).connect();
  chains = new AuditChains(client.db());
  await chains.ensureIndexes();
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});
beforeEach(() => {
  tenantId = `t${(tenant += 1)}`;
});

const entries = () => client.db().collection('audit_log');
const anchors = () => client.db().collection<{ _id: string }>('audit_anchors');
const anIntent = (operation = 'Do'): AuditEvent => ({
  kind: 'INTENT',
  what: {
    ...{ requestId: 'r1', subject: 'someone', clientId: null, roles: ['operator'] },
    ...{ operation, operationHash: 'ab', fields: [{ name: 'do', argumentsDigest: 'cd', ids: ['id=1'] }] },
  },
});

/** Commands of a name that are sent for a collection from now on. */
function commandsOf(name: string, collection: string): { count: number } {
  const sent = { count: 0 };
  client.on('commandStarted', ({ command }) => {
    if (command[name] === collection) sent.count += 1;
  });
  return sent;
}

function aLog(secret = SECRET): AuditLog {
  const onAnchorFailed = (error: unknown) => {
    throw error;
  };
  return new AuditLog({ chains, secret, clock: { now: () => new Date() }, timeoutMs: 5_000, onAnchorFailed });
}

async function aChain(length: number): Promise<void> {
  const log = aLog();
  for (let i = 0; i < length; i += 1) await log.append(tenantId, anIntent(`Do${i}`));
  await log.close();
}

const verify = (expected?: { seq: number; hash: string }) =>
  verifyChain(chains, tenantId, { secrets: [SECRET], ...(expected && { expected }) });

describe('AuditLog', () => {
  it('numbers entries without gaps, each linked to the one before', async () => {
    const log = aLog();
    const numbers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => log.append(tenantId, anIntent(`Do${i}`))),
    );
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    await log.close();
    expect(await verify()).toMatchObject({ entries: 50, broken: null });
  });

  it('keeps one chain when several processes extend it at once, and loses nothing', async () => {
    const logs = Array.from({ length: 4 }, () => aLog());
    const numbers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => logs[i % 4]?.append(tenantId, anIntent(`Do${i}`))),
    );
    await Promise.all(logs.map((log) => log.close()));
    expect(new Set(numbers).size).toBe(200);
    expect(await verify()).toMatchObject({ entries: 200, broken: null });
    const named = await entries().distinct('what.operation', { tenantId });
    expect(named).toHaveLength(200);
  });

  it('lists mutations newest first with what became of them, an unfinished one as such', async () => {
    const log = aLog();
    const done = await log.append(tenantId, anIntent('Done'));
    await log.append(tenantId, { kind: 'OUTCOME', what: { of: done, outcome: 'OK', codes: [] } });
    await log.append(tenantId, anIntent('Lost'));
    const listed = await chains.list(tenantId, { before: null, first: 10 });
    expect(listed.map(({ entry, outcome }) => [entry.what.operation, outcome?.what.outcome ?? null])).toEqual(
      [
        ['Lost', null],
        ['Done', 'OK'],
      ],
    );
    expect(await chains.list(tenantId, { before: 3, first: 10 })).toHaveLength(1);
    expect(await chains.list(`${tenantId}-other`, { before: null, first: 10 })).toEqual([]);
  });

  it('writes what may linger with the next entry, and where none comes by itself', async () => {
    const log = aLog();
    const inserts = commandsOf('insert', 'audit_log');
    const lingering = log.append(tenantId, anIntent('First'), { lingerMs: 60_000 });
    await log.append(tenantId, anIntent('Second'));
    expect([await lingering, inserts.count]).toEqual([1, 1]);
    expect(await log.append(tenantId, anIntent('Third'), { lingerMs: 5 })).toBe(3);
    const last = log.append(tenantId, anIntent('Fourth'), { lingerMs: 60_000 });
    await log.close();
    expect(await last).toBe(4);
    expect(await verify()).toMatchObject({ entries: 4, broken: null });
  });

  it('anchors a busy chain once a second, and at the end', async () => {
    const log = aLog();
    const updates = commandsOf('update', 'audit_anchors');
    const startedMs = Date.now();
    for (let i = 1; i <= 30; i += 1) await log.append(tenantId, anIntent());
    await log.close();
    expect(updates.count).toBeLessThanOrEqual(2 + (Date.now() - startedMs) / 1_000);
    expect(await chains.findAnchor(tenantId)).toMatchObject({ seq: 30 });
  });

  it('refuses under a code when the store is down', async () => {
    const nowhere = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 100 });
    const log = new AuditLog({
      ...{ chains: new AuditChains(nowhere.db('x')), secret: SECRET, timeoutMs: 500 },
      ...{ clock: { now: () => new Date() }, onAnchorFailed: () => undefined },
    });
    await expect(log.append(tenantId, anIntent())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await nowhere.close();
  });
});

describe('a chain that somebody tampered with', () => {
  const brokenAt = async () => (await verify()).broken;

  it('holds while nobody does, also where secrets were rotated in between', async () => {
    await aChain(5);
    const rotated = aLog(`another secret of thirty-two letters,${SECRET}`);
    await rotated.append(tenantId, anIntent());
    await rotated.close();
    const secrets = ['another secret of thirty-two letters', SECRET];
    expect(await verifyChain(chains, tenantId, { secrets })).toMatchObject({ entries: 6, broken: null });
    expect((await brokenAt())?.seq).toBe(6);
  });

  it.each([
    ['who did it', { 'what.subject': 'someone-else' }],
    ['when', { at: new Date(0) }],
    ['what became of it', { kind: 'REFUSAL' }],
    ['the link', { prevHash: '0'.repeat(64) }],
  ])('is found out at the entry where %s was changed', async (_what, change) => {
    await aChain(5);
    await entries().updateOne({ tenantId, seq: 3 }, { $set: change });
    expect((await brokenAt())?.seq).toBe(3);
  });

  it('is found out where an entry was taken out', async () => {
    await aChain(5);
    await entries().deleteOne({ tenantId, seq: 3 });
    expect(await brokenAt()).toEqual({ seq: 3, why: 'missing: the entry was taken out' });
  });

  it('is found out where the first entries were taken out', async () => {
    await aChain(5);
    await entries().deleteMany({ tenantId, seq: { $lte: 2 } });
    expect((await brokenAt())?.seq).toBe(1);
  });

  it('is found out where an entry was slipped in', async () => {
    await aChain(5);
    const { _id, ...third } = (await entries().findOne({ tenantId, seq: 3 })) ?? { _id: null };
    await entries().updateMany({ tenantId, seq: { $gt: 3 } }, [{ $set: { seq: { $add: ['$seq', 100] } } }]);
    await entries().updateMany({ tenantId, seq: { $gt: 3 } }, [
      { $set: { seq: { $subtract: ['$seq', 99] } } },
    ]);
    await entries().insertOne({ ...third, seq: 4 });
    expect((await brokenAt())?.seq).toBe(4);
  });

  it('is found out where entries changed places', async () => {
    await aChain(5);
    for (const [from, to] of [
      [2, 900],
      [3, 2],
      [900, 3],
    ] as const)
      await entries().updateOne({ tenantId, seq: from }, { $set: { seq: to } });
    expect((await brokenAt())?.seq).toBe(2);
  });

  it('is found out where the tail was cut off', async () => {
    await aChain(5);
    await entries().deleteMany({ tenantId, seq: { $gt: 3 } });
    expect(await brokenAt()).toEqual({ seq: 4, why: 'cut off: the chain once had 5 entries' });
    await entries().deleteMany({ tenantId });
    expect((await brokenAt())?.seq).toBe(1);
  });

  it('is found out where the tail was cut off and the anchor with it, moved or forged', async () => {
    await aChain(5);
    const kept = (await verify()).head;
    const third = (await entries().findOne({ tenantId, seq: 3 }))?.['hash'] as string;
    await entries().deleteMany({ tenantId, seq: { $gt: 3 } });
    await anchors().updateOne({ _id: tenantId }, { $set: { seq: 3, hash: third } });
    expect((await brokenAt())?.why).toContain('the anchor was changed');
    await anchors().deleteOne({ _id: tenantId });
    expect((await brokenAt())?.why).toContain('the anchor is missing');
    // An anchor of an earlier day, which was genuine then, is found out by a head that was kept outside.
    const mac = anchorMacOf(tenantId, { seq: 3, hash: third }, SECRET);
    await anchors().updateOne(
      { _id: tenantId },
      { $set: { tenantId, seq: 3, hash: third, mac } },
      { upsert: true },
    );
    expect((await verify()).broken).toBeNull();
    expect((await verify(kept)).broken).toEqual({ seq: 4, why: 'cut off: the chain once had 5 entries' });
  });

  it('is found out where the whole chain was written anew without the secret', async () => {
    await aChain(5);
    await entries().deleteMany({ tenantId });
    const forger = aLog('a guess of at least thirty-two letters');
    for (let i = 0; i < 5; i += 1) await forger.append(tenantId, anIntent('Forged'));
    await forger.close();
    expect((await brokenAt())?.seq).toBe(1);
  });

  it('is found out where an entry of another tenant was put in its place', async () => {
    await aChain(2);
    const from = tenantId;
    tenantId = `${from}-b`;
    await aChain(2);
    const { _id, ...foreign } = (await entries().findOne({ tenantId: from, seq: 1 })) ?? { _id: null };
    await entries().replaceOne({ tenantId, seq: 1 }, { ...foreign, tenantId });
    expect((await brokenAt())?.seq).toBe(1);
  });
});
