import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDecisionsClient, type DecisionsClient } from '../decisions.client.js';
import { NameServer } from '../testing/name-server.js';
import { aRequest, until, WorkerServer } from '../testing/worker-server.js';
import { discoveryOf } from './discovery.js';

let names: NameServer;
const clients: DecisionsClient[] = [];
beforeEach(async () => {
  names = await NameServer.start();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  names.stop();
});

function aClient(port: number, failures: Error[] = []): DecisionsClient {
  const client = createDecisionsClient({
    address: `dns://${names.address}/workers.test:${port}`,
    dnsRefreshMs: 50,
    observer: { discoveryFailed: (error) => void failures.push(error) },
  });
  clients.push(client);
  return client;
}
const addressesOf = ({ pool }: DecisionsClient) =>
  pool
    .list()
    .map(({ address }) => address)
    .sort();

describe('a DNS name', () => {
  it('is looked up again: addresses come and go', async () => {
    names.addresses = ['127.0.0.1'];
    const client = aClient(50051);
    await until(() => addressesOf(client).join() === '127.0.0.1:50051');
    names.addresses = ['127.0.0.3', '127.0.0.1'];
    await until(() => addressesOf(client).join() === '127.0.0.1:50051,127.0.0.3:50051');
    names.addresses = ['127.0.0.3'];
    await until(() => addressesOf(client).join() === '127.0.0.3:50051');
  });

  it.each([
    ['the server fails', (): void => void (names.isFailing = true)],
    ['the name is gone', (): void => void (names.addresses = [])],
  ])('keeps its addresses while %s', async (_why, happen) => {
    const worker = await WorkerServer.start();
    const failures: Error[] = [];
    names.addresses = ['127.0.0.1'];
    const client = aClient(worker.port, failures);
    await client.recommend(aRequest, { deadlineMs: 5_000 });
    happen();
    await until(() => failures.length > 1);
    await client.recommend(aRequest, { deadlineMs: 5_000 });
    worker.kill();
  });

  it('that cannot be looked up fails calls at once and says so', async () => {
    names.isFailing = true;
    const failures: Error[] = [];
    const client = aClient(50051, failures);
    await until(() => failures.length > 0);
    await expect(client.recommend(aRequest, { deadlineMs: 5_000 })).rejects.toMatchObject({
      code: 'INFERENCE_UNAVAILABLE',
      message: 'no inference worker is known: their address cannot be looked up',
    });
  });

  it("is asked of the system's name servers when none is named", async () => {
    const found: string[] = [];
    const discovery = discoveryOf('dns:///localhost:50051', { dnsRefreshMs: 50, kubernetes: {} });
    discovery.start({ found: (addresses) => void found.push(...addresses), failed: () => undefined });
    await until(() => found.length > 0);
    discovery.close();
    expect(found.some((address) => ['127.0.0.1:50051', '[::1]:50051'].includes(address))).toBe(true);
  });
});
