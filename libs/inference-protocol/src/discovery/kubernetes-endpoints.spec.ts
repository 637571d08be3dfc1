import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDecisionsClient } from '../decisions.client.js';
import { KubernetesServer } from '../testing/kubernetes-server.js';
import { aRequest, until, WorkerServer } from '../testing/worker-server.js';
import type { Discovery } from './discovery.js';
import { discoveryOf } from './discovery.js';

let api: KubernetesServer;
const discoveries: Discovery[] = [];
beforeEach(async () => {
  api = await KubernetesServer.start();
});
afterEach(async () => {
  for (const discovery of discoveries.splice(0)) discovery.close();
  await api.stop();
});

const pods = (...hosts: string[]) => ({
  addressType: 'IPv4',
  endpoints: hosts.map((host) => ({ addresses: [host], conditions: { ready: true } })),
  ports: [{ name: 'grpc', port: 50051 }],
});
const at = (...hosts: string[]) => hosts.map((host) => `${host}:50051`);

/** What discovery says, from the first answer on. */
function follow(address = 'k8s:///workers.shop:grpc') {
  const seen: string[][] = [];
  const failures: Error[] = [];
  const discovery = discoveryOf(address, { dnsRefreshMs: 1_000, kubernetes: api.access });
  discoveries.push(discovery);
  discovery.start({
    found: (addresses) => void seen.push([...addresses]),
    failed: (error) => void failures.push(error),
  });
  const last = () => seen.at(-1)?.join() ?? 'nothing yet';
  return { discovery, failures, says: (...hosts: string[]) => until(() => last() === at(...hosts).join()) };
}
const watches = () => api.requests.filter((url) => url.searchParams.has('watch'));
const lists = () => api.requests.filter((url) => !url.searchParams.has('watch'));

describe('EndpointSlices', () => {
  it('are listed, then watched from there: slices come, change and go', async () => {
    api.set('workers', 'workers-a', pods('10.0.0.1', '10.0.0.2'));
    api.set('others', 'others-a', pods('10.9.9.9'));
    const { says, failures } = follow();
    await says('10.0.0.1', '10.0.0.2');
    await until(() => watches().length === 1);
    api.set('workers', 'workers-b', pods('10.0.0.3'));
    await says('10.0.0.1', '10.0.0.2', '10.0.0.3');
    api.set('workers', 'workers-a', {
      ...pods(),
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: true } },
        { addresses: ['10.0.0.2'], conditions: { ready: true, terminating: true } },
      ],
    });
    await says('10.0.0.1', '10.0.0.3');
    api.remove('workers-b');
    await says('10.0.0.1');
    expect(lists()).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it('are read page by page, in the namespace of the pod when none is named', async () => {
    api.pageSize = 2;
    for (const i of [1, 2, 3, 4, 5]) api.set('workers', `workers-${i}`, pods(`10.0.0.${i}`));
    await follow('k8s:///workers:50051').says('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5');
    expect(lists().map((url) => url.searchParams.get('continue'))).toEqual([null, '2', '4']);
  });

  it('are watched on from the last version after the API ended the watch, and nothing in between is missed', async () => {
    api.set('workers', 'workers-a', pods('10.0.0.1'));
    const { says, failures } = follow();
    await says('10.0.0.1');
    await until(() => watches().length === 1);
    api.endWatches();
    api.set('workers', 'workers-a', pods('10.0.0.7'));
    await says('10.0.0.7');
    expect(lists()).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it.each([
    ['while it is watched', () => api.expireWatches()],
    [
      'before it is watched again',
      () => {
        api.forgetHistory();
        api.endWatches();
      },
    ],
  ])('are listed again when their version is gone %s', async (_when, expire) => {
    api.set('workers', 'workers-a', pods('10.0.0.1'));
    const { says, failures } = follow();
    await says('10.0.0.1');
    await until(() => watches().length === 1);
    api.remove('workers-a');
    expire();
    api.set('workers', 'workers-b', pods('10.0.0.8'));
    await says('10.0.0.8');
    await until(() => lists().length === 2);
    expect(failures).toEqual([]);
  });

  it('stay as they were while the API is away, and are found again', async () => {
    api.set('workers', 'workers-a', pods('10.0.0.1'));
    const { says, failures } = follow();
    await says('10.0.0.1');
    await until(() => watches().length === 1);
    api.breakConnections();
    await until(() => failures.length > 0);
    await says('10.0.0.1');
    api.set('workers', 'workers-a', pods('10.0.0.2'));
    await says('10.0.0.2');
  });

  it('are asked for with the token of the moment', async () => {
    api.set('workers', 'workers-a', pods('10.0.0.1'));
    const { says } = follow();
    await says('10.0.0.1');
    await api.rotate('token-2');
    api.breakConnections();
    api.set('workers', 'workers-a', pods('10.0.0.2'));
    await says('10.0.0.2');
  });

  it.each([
    ['another namespace', 'k8s:///workers.other:grpc', /answered 403/],
    ['a wrong token', 'k8s:///workers.shop:grpc', /answered 401/],
  ])('say why they cannot be read: %s', async (_why, address, message) => {
    api.token = 'another';
    if (address.includes('other')) await api.rotate('token-1');
    const { failures } = follow(address);
    await until(() => failures.length > 1);
    expect(failures[0]?.message).toMatch(message);
  });

  it('are not read from an API whose certificate is of another authority', async () => {
    const stranger = await KubernetesServer.start();
    const failures: Error[] = [];
    const discovery = discoveryOf('k8s:///workers.shop:grpc', {
      dnsRefreshMs: 1_000,
      kubernetes: { ...stranger.access, apiUrl: api.access.apiUrl },
    });
    discoveries.push(discovery);
    discovery.start({ found: () => undefined, failed: (error) => void failures.push(error) });
    await until(() => failures.length > 0);
    expect(api.requests).toEqual([]);
    await stranger.stop();
  });
});

describe('a pool that follows EndpointSlices', () => {
  it('gives a new worker calls within a second, and one that terminates none', async () => {
    const [first, second] = [await WorkerServer.start(), await WorkerServer.start()];
    const portOf = ({ port }: WorkerServer, terminating = false) => ({
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: !terminating, terminating } }],
      ports: [{ name: 'grpc', port }],
    });
    api.set('workers', 'first', portOf(first));
    const client = createDecisionsClient({ address: 'k8s:///workers.shop:grpc', kubernetes: api.access });
    const ask = () => client.recommend(aRequest, { deadlineMs: 5_000 });
    try {
      await ask();
      const addedAt = performance.now();
      api.set('workers', 'second', portOf(second));
      while (second.calls === 0 && performance.now() - addedAt < 5_000) await ask();
      expect(performance.now() - addedAt).toBeLessThan(1_000);
      api.set('workers', 'first', portOf(first, true));
      await until(() => client.pool.list().length === 1);
      const seen = first.calls;
      await Promise.all(Array.from({ length: 20 }, ask));
      expect(first.calls).toBe(seen);
      api.set('workers', 'second', portOf(second, true));
      await until(() => client.pool.list().length === 0);
      await expect(ask()).rejects.toMatchObject({ code: 'INFERENCE_UNAVAILABLE' });
    } finally {
      await client.close();
      first.kill();
      second.kill();
    }
  });
});
