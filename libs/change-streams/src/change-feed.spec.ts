import { DomainError } from '@sextant/domain';
import { startMongod } from '@sextant/local-services';
import { startMongoServer, startTestMongo, type TestMongo } from '@sextant/testing';
import { type Collection, type Document, MongoClient, MongoServerError } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChangeFeed, type FeedOptions } from './change-feed.js';
import type { FeedSubscription } from './feed-subscription.js';
import { cursorOf, positionOf } from './stream-cursor.js';
import { isHistoryLost } from './stream-errors.js';

interface Row {
  tenantId: string;
  n: number;
}

let mongo: TestMongo;
let client: MongoClient;
const feeds: ChangeFeed<Row>[] = [];
beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
});
afterAll(async () => {
  await Promise.all(feeds.map((feed) => feed.close()));
  await client.close();
  await mongo.stop();
});

const numbers = (change: { document: Row }): number => change.document.n;

function aFeed(options: Partial<FeedOptions<Row>> = {}, rows?: Collection<Document>) {
  const collection = rows ?? client.db().collection<Document>(`rows_${crypto.randomUUID()}`);
  const feed = new ChangeFeed<Row>(collection, {
    read: (row) => row as unknown as Row,
    onProblem: () => undefined,
    ...options,
  });
  feeds.push(feed);
  const write = (tenantId: string, ...values: number[]) =>
    collection.insertMany(
      values.map((n) => ({ tenantId, n })),
      { writeConcern: { w: 'majority' } },
    );
  return { feed, collection, write };
}

async function take<E>(subscription: FeedSubscription<E>, count: number): Promise<E[]> {
  const taken: E[] = [];
  while (taken.length < count) {
    const { value, done } = await subscription.next();
    if (done) throw new Error(`ended after ${taken.length} of ${count}: ${JSON.stringify(taken)}`);
    taken.push(value);
  }
  return taken;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('ChangeFeed', () => {
  it('hands every subscriber what its tenant changes from now on, in order, and nothing of others', async () => {
    const { feed, write } = aFeed();
    await write('a', 0);
    const one = await feed.subscribe({ tenantId: 'a', select: numbers });
    const two = await feed.subscribe({ tenantId: 'a', select: numbers });
    const other = await feed.subscribe({ tenantId: 'b', select: numbers });
    await write('b', 100);
    await write('a', ...range(1, 200));
    await write('b', 101);
    expect(await take(one, 199)).toEqual(range(1, 200));
    expect(await take(two, 199)).toEqual(range(1, 200));
    expect(await take(other, 2)).toEqual([100, 101]);
  });

  it('goes on after a position from memory: everything since, once and in order, joined with what comes', async () => {
    const { feed, write } = aFeed();
    const first = await feed.subscribe({ tenantId: 'a', select: numbers });
    await write('a', 1, 2, 3);
    expect(await take(first, 2)).toEqual([1, 2]);
    const { position } = first;
    await first.return();
    await write('b', 9);
    await write('a', 4);
    const again = await feed.subscribe({ tenantId: 'a', after: position, select: numbers });
    await write('a', 5);
    expect(await take(again, 3)).toEqual([3, 4, 5]);
  });

  it.each([
    ['an event of another process', false],
    ['a place at which nothing happened', true],
  ])('goes on from the store after %s, while writes go on', async (_, isIdle) => {
    const { collection, feed, write } = aFeed();
    const first = await feed.subscribe({ tenantId: 'a', select: numbers });
    await write('a', 1);
    if (!isIdle) await take(first, 1);
    const after = first.position;
    await feed.close();
    const { feed: fresh } = aFeed({ kept: 10 }, collection);
    const keepsItOpen = await fresh.subscribe({ tenantId: 'b', select: numbers });
    const writing = (async () => {
      for (const n of range(2, 300)) await Promise.all([write('a', n), n % 3 === 0 && write('b', n)]);
    })();
    const again = await fresh.subscribe({ tenantId: 'a', after, select: numbers });
    const expected = isIdle ? range(1, 300) : range(2, 300);
    expect(await take(again, expected.length)).toEqual(expected);
    await writing;
    await keepsItOpen.return();
  });

  it('tells a returning subscriber of nothing twice, however often it returns', async () => {
    const { feed, write } = aFeed({ kept: 5 });
    let after = (await feed.subscribe({ tenantId: 'a', select: numbers })).position;
    const writing = (async () => {
      for (const n of range(0, 120)) await write('a', n);
    })();
    const seen: number[] = [];
    while (seen.length < 120) {
      const subscription = await feed.subscribe({ tenantId: 'a', after, select: numbers });
      seen.push(...(await take(subscription, Math.min(7, 120 - seen.length))));
      after = subscription.position;
      await subscription.return();
    }
    await writing;
    expect(seen).toEqual(range(0, 120));
  });

  it('leaves out changes that are not for the eyes of clients, and knows which fields an update touched', async () => {
    const { feed, collection, write } = aFeed({ isVisible: ({ changed }) => changed.has('n') });
    const subscription = await feed.subscribe({
      tenantId: 'a',
      select: ({ kind, document }) => `${kind} ${document.n}`,
    });
    await write('a', 1);
    expect(await take(subscription, 1)).toEqual(['insert 1']);
    await collection.updateOne({ tenantId: 'a' }, { $set: { lease: 5 } });
    await collection.updateOne({ tenantId: 'a' }, { $set: { n: 2 } });
    expect(await take(subscription, 1)).toEqual(['update 2']);
  });

  it('ends a subscriber who does not read, and lets it go on from where it was', async () => {
    const { feed, write } = aFeed({ queued: 10 });
    const subscription = await feed.subscribe({ tenantId: 'a', select: numbers });
    const witness = await feed.subscribe({ tenantId: 'a', select: numbers });
    for (const n of range(0, 30)) {
      await write('a', n);
      await take(witness, 1);
    }
    const seen = await take(subscription, 10);
    await expect(subscription.next()).rejects.toMatchObject({ code: 'STREAM_OVERFLOW' });
    const again = await feed.subscribe({ tenantId: 'a', after: subscription.position, select: numbers });
    seen.push(...(await take(again, 10)));
    expect(seen).toEqual(range(0, 20));
  });

  it('goes on after the store died and came back, without a gap', async () => {
    const server = await startMongoServer();
    const own = await new MongoClient(server.uri, { serverSelectionTimeoutMS: 500 }).connect();
    const rows = own.db('rows').collection<Document>('rows');
    const { feed, write } = aFeed({}, rows);
    const subscription = await feed.subscribe({ tenantId: 'a', select: numbers });
    await write('a', 1);
    expect(await take(subscription, 1)).toEqual([1]);
    process.kill(server.pid, 'SIGKILL');
    const { binary, dataDir, port } = server;
    const second = await startMongod({ binary, dataDir, port });
    await write('a', 2, 3);
    expect(await take(subscription, 2)).toEqual([2, 3]);
    await feed.close();
    await own.close();
    await second.stop();
    await server.stop().catch(() => undefined);
  });
});

describe('positionOf', () => {
  it('takes what cursorOf made, and nothing else', () => {
    const position = '826B035090000000022B022C0100296E5A1004';
    expect(positionOf(cursorOf(position), Date.now() + 1e12)).toBe(position);
    for (const wrong of [
      '',
      'x',
      cursorOf('83' + position.slice(2)),
      `${cursorOf(position)}=`,
      'a'.repeat(9_999),
    ])
      expect(() => positionOf(wrong, Date.now())).toThrow(DomainError);
  });

  it('refuses a place in the future', () => {
    expect(() => positionOf(cursorOf('82FFFFFFFF00000001'), Date.now())).toThrow(/after must be/);
  });
});

describe('isHistoryLost', () => {
  it.each([
    [286, true], // ChangeStreamHistoryLost
    [280, false],
    [11600, false],
  ])('of an error with code %i is %s', (code, isLost) => {
    expect(isHistoryLost(new MongoServerError({ message: 'x', code }))).toBe(isLost);
  });
});
