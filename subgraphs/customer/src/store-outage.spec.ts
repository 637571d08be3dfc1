import { customerIdOf, EVENTS_COLLECTION } from '@sextant/features';
import { startMongod } from '@sextant/local-services';
import { startMongoServer } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aCustomerSubgraph, anEventInput, anIdentity, eventually, INGEST } from './test-customer-subgraph.js';

const TIMEOUT_MS = 4_000;

describe('while the store is killed under load', () => {
  it('answers with a code in time, and afterwards no acknowledged event is lost and none doubled by a replay', async () => {
    const server = await startMongoServer();
    onTestFinished(() => server.stop());
    const uri = server.uri.replace('/?', '/outage?');
    const customer = await aCustomerSubgraph({ uri, timeoutMs: TIMEOUT_MS });
    onTestFinished(() => customer.stop());
    const batches = Array.from({ length: 200 }, (_, b) =>
      Array.from({ length: 20 }, (_row, i) => anEventInput({ id: `${b}-${i}`, customerRef: `shop:${i}` })),
    );
    const acknowledged = new Set<number>();
    const unsure: number[] = [];
    const codes = new Set<string>();
    let slowestMs = 0;
    let next = 0;
    let killed = false;
    const sender = async (): Promise<void> => {
      for (let b = next++; b < batches.length && unsure.length < 4; b = next++) {
        const startedMs = performance.now();
        const answer = await customer.askAs(anIdentity(), INGEST, { e: batches[b] });
        slowestMs = Math.max(slowestMs, performance.now() - startedMs);
        if (answer.errors) {
          unsure.push(b);
          codes.add(answer.errors[0]?.extensions.code ?? 'none');
        } else acknowledged.add(b);
        if (acknowledged.size >= 20 && !killed) killed = process.kill(server.pid, 'SIGKILL');
      }
    };
    await Promise.all([sender(), sender(), sender(), sender()]);
    expect(acknowledged.size).toBeGreaterThanOrEqual(20);
    expect(unsure.length).toBeGreaterThanOrEqual(4);
    expect([...codes].every((code) => /^STORE_(UNAVAILABLE|DEADLINE_EXCEEDED)$/.test(code))).toBe(true);
    expect(slowestMs).toBeLessThan(TIMEOUT_MS + 1_000);

    const { binary, dataDir, port } = server;
    const again = await startMongod({ binary, dataDir, port });
    onTestFinished(() => again.stop());
    const sent = [...acknowledged, ...unsure];
    const answers = await eventually(
      () => Promise.all(sent.map((b) => customer.ingest(batches[b] ?? []))),
      (all) => all.every(Boolean),
    );
    expect(answers.slice(0, acknowledged.size).every(({ accepted }) => accepted === 0)).toBe(true);

    const client = await new MongoClient(again.uri.replace('/?', '/outage?')).connect();
    expect(await client.db().collection(EVENTS_COLLECTION).countDocuments()).toBe(20 * sent.length);
    const folded = async () => {
      const { data } = await customer.ask(
        '{ customer(ref:"shop:3"){ id featureVector(set:"customer"){ values } } }',
      );
      return [data?.['customer']?.id, data?.['customer']?.featureVector?.values['count.page_visit.total']];
    };
    const expected = [customerIdOf('demo', 'shop:3'), sent.length];
    expect(await eventually(folded, (seen) => seen[1] === sent.length)).toEqual(expected);
    await client.close();
  }, 90_000);
});
