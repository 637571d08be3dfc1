import { startMongoServer } from '@sextant/testing';
import { type CommandStartedEvent, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newDecisionId } from './decision-id.js';
import { DecisionRepository } from './decision.repository.js';
import { type NewDecision, roughSize } from './logged-decision.js';

const NOW = new Date('2026-03-01T12:00:00Z');

const aDecision = (overrides: Partial<NewDecision> = {}): NewDecision => ({
  ...{ id: newDecisionId(NOW), tenantId: 'demo', kind: 'recommend', subject: 'c', customerId: 'c', at: NOW },
  ...{ modelVersion: 'demo.recommend@1', rung: 'MODEL', fallbackReason: null, device: 'CPU', repeats: null },
  ...{ inputJson: '{"history":["p"]}', inputHash: 'a'.repeat(64), propensity: 1 },
  output: { slot: 'home', items: [{ productId: 'p', rank: 1, score: 0.25 }] },
  ...overrides,
});

describe('inserts of decisions', () => {
  let mongo: Awaited<ReturnType<typeof startMongoServer>>;
  let client: MongoClient;
  let decisions: DecisionRepository;
  const inserts: CommandStartedEvent[] = [];

  beforeAll(async () => {
    mongo = await startMongoServer();
    client = new MongoClient(mongo.uri, {
      monitorCommands: true,
      retryWrites: true,
      writeConcern: { w: 'majority', journal: true },
    });
    client.on('commandStarted', (event) => {
      if (event.commandName === 'insert') inserts.push(event);
    });
    await client.connect();
    decisions = new DecisionRepository(client.db('inserts'));
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
  });
  beforeEach(async () => {
    await client.db('inserts').dropDatabase();
    inserts.length = 0;
  });
  const count = () => client.db('inserts').collection('decisions').countDocuments();

  it('are one command with the write concern of the connection', async () => {
    const rows = Array.from({ length: 500 }, () => aDecision());
    await decisions.insertMany(rows);
    expect(await count()).toBe(500);
    expect(inserts).toHaveLength(1);
    expect(inserts[0]?.command).toMatchObject({ ordered: false, writeConcern: { w: 'majority', j: true } });
    const { inputJson, ...first } = rows[0] ?? aDecision();
    expect(await decisions.find('demo', first.id)).toEqual({ ...first, input: JSON.parse(inputJson) });
  });

  it('are as many commands as their size needs', async () => {
    const text = (letter: string) => JSON.stringify({ history: [letter.repeat(1_500_000)] });
    const rows = [...'aéh€'].map((letter) => aDecision({ inputJson: text(letter) }));
    await decisions.insertMany(rows);
    expect(await count()).toBe(4);
    expect(inserts).toHaveLength(2);
  });

  it('leave alone what is there already, and store the rest', async () => {
    const [there, fresh] = [aDecision(), aDecision()];
    await decisions.insertMany([there]);
    await decisions.insertMany([{ ...there, subject: 'another' }, fresh]);
    expect(await count()).toBe(2);
    expect((await decisions.find('demo', there.id))?.subject).toBe('c');
    await decisions.insertMany([]);
  });

  it('fail where the store refuses a row, having stored the others', async () => {
    await client.db('inserts').createCollection('decisions', {
      validator: { slot: { $exists: false }, subject: { $ne: 'refused' } },
    });
    await expect(
      decisions.insertMany([aDecision({ subject: 'refused' }), aDecision(), aDecision()]),
    ).rejects.toThrow(/failed validation/);
    expect(await count()).toBe(2);
  });

  it('are sized within a third of their JSON', () => {
    const items = Array.from({ length: 10 }, (_, i) => ({
      productId: `product ${i}`,
      rank: i,
      score: i / 7,
    }));
    const rows = [
      aDecision(),
      aDecision({ output: { slot: 'home', items } }),
      aDecision({ inputJson: JSON.stringify(items), output: { probability: 1 / 3, band: 'LOW' } }),
    ];
    for (const row of rows) {
      const exact = JSON.stringify(row).length;
      expect(Math.abs(roughSize(row) - exact) / exact).toBeLessThan(1 / 3);
    }
  });
});
