import { startTestMongo } from '@sextant/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { aGateway } from '../test-gateway.js';

let running: Awaited<ReturnType<typeof aGateway>>;
afterEach(() => running.stop());

const health = async (what: 'ready' | 'live'): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(running.gateway.metricsUrl.replace('/metrics', `/health/${what}`));
  return { status: response.status, body: await response.json() };
};

describe('/health/ready', () => {
  it('is false while no token could be checked; the process lives all the same', async () => {
    running = await aGateway({ SEXTANT_JWKS: 'http://127.0.0.1:1/jwks.json' });
    expect(await health('ready')).toEqual({
      status: 503,
      body: { status: 'not ready', checks: { keys: false, subgraphs: true } },
    });
    expect((await health('live')).status).toBe(200);
  });

  it('is false until the store of keys and of the audit log has answered once', async () => {
    const stored = {
      SEXTANT_AUDIT: 'on',
      SEXTANT_AUDIT_SECRET: 'what links the log has forty letters or so',
    };
    const nowhere = 'mongodb://127.0.0.1:1/sextant?serverSelectionTimeoutMS=200';
    running = await aGateway({ ...stored, MONGODB_URI: nowhere, MONGODB_TIMEOUT_MS: '200' });
    expect(await health('ready')).toEqual({
      status: 503,
      body: { status: 'not ready', checks: { keys: true, store: false, subgraphs: true } },
    });
    await running.stop();
    const mongo = await startTestMongo();
    running = await aGateway({ ...stored, MONGODB_URI: mongo.uri });
    expect(await health('ready')).toMatchObject({ status: 200, body: { checks: { store: true } } });
    await mongo.stop();
  });

  it('is false until each subgraph has answered once, and stays true when one goes later', async () => {
    running = await aGateway({ PREDICTION_URL: 'http://127.0.0.1:1/graphql' });
    expect(await health('ready')).toMatchObject({
      status: 503,
      body: { checks: { keys: true, subgraphs: false } },
    });
    await running.stop();
    running = await aGateway();
    expect((await health('ready')).status).toBe(200);
    await running.subgraphs.prediction.stop();
    expect((await health('ready')).status).toBe(200);
  });
});
