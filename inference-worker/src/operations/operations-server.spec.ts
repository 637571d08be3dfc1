import { once } from 'node:events';
import { connect } from 'node:net';
import { openInferenceService } from '@sextant/inference-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRepository, publishLead, publishRecommender } from '../testing/test-models.js';
import { startTestWorker, type TestWorker } from '../testing/test-worker.js';

let worker: TestWorker;
let remove: () => Promise<void>;

beforeAll(async () => {
  const repository = await aRepository();
  remove = repository.remove;
  await publishLead(repository.directory);
  const matrix = Float32Array.of(0, 1, 1, 0, 0, 0);
  await publishRecommender(repository.directory, { items: ['i0', 'i1'], matrix });
  worker = await startTestWorker(repository.directory.root);
  const rows = [{ history: ['i0'], first: 1 }];
  for (let i = 0; i < 3; i++)
    await worker.client.recommend({ model: 'demo.recommend', rows }, { deadlineMs: 10_000 });
});
afterAll(async () => {
  await worker.stop();
  await remove();
});

const base = (): string => `http://127.0.0.1:${worker.worker.metricsPort}`;
const body = async (path: string): Promise<unknown> => (await worker.get(path)).json();

/** What a raw connection is answered with until it is closed. */
async function exchange(bytes: string): Promise<string> {
  const socket = connect(worker.worker.metricsPort, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString()));
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}

describe('the protocol over HTTP', () => {
  it('answers as KServe and Triton do', async () => {
    expect(await body('/v2')).toEqual({
      name: 'sextant-inference-worker',
      version: '0.0.0',
      extensions: expect.arrayContaining(['statistics']),
    });
    expect(await body('/v2/health/live')).toEqual({ live: true });
    expect(await body('/v2/health/ready')).toEqual({ ready: true });
    expect(await body('/v2/models/demo.lead/ready')).toEqual({ name: 'demo.lead', ready: true });
    expect(await body('/v2/models/demo.lead/versions/1')).toMatchObject({
      name: 'demo.lead',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      outputs: [{ name: 'probability', datatype: 'FP32', shape: [-1, 1] }],
    });
  });

  it('tells the statistics that the gRPC call tells', async () => {
    const overHttp = (await body('/v2/models/demo.recommend/stats')) as { model_stats: unknown[] };
    const overGrpc = await worker.call<{ modelStats: Record<string, unknown>[] }>(
      openInferenceService,
      'ModelStatistics',
      { name: 'demo.recommend' },
    );
    expect(overHttp.model_stats).toHaveLength(1);
    expect(overHttp.model_stats[0]).toMatchObject({
      name: 'demo.recommend',
      version: '1',
      inference_count: 3,
      execution_count: 3,
      inference_stats: { success: { count: 3 }, fail: { count: 0 }, compute_infer: { count: 3 } },
      batch_stats: [{ batch_size: 1, compute_infer: { count: 3 } }],
    });
    expect(overGrpc.modelStats[0]).toMatchObject({ name: 'demo.recommend', inferenceCount: 3 });
    expect(((await body('/v2/models/stats')) as { model_stats: unknown[] }).model_stats).toHaveLength(2);
  });

  it('lists the repository', async () => {
    const index = await fetch(`${base()}/v2/repository/index`, { method: 'POST', body: '{"ready":true}' });
    expect(await index.json()).toEqual(
      ['demo.lead', 'demo.recommend'].map((name) => ({ name, version: '1', state: 'READY', reason: '' })),
    );
    const bad = await fetch(`${base()}/v2/repository/index`, { method: 'POST', body: '[' });
    expect([bad.status, await bad.json()]).toEqual([400, { error: expect.stringContaining('ready') }]);
  });

  it('says what is not there', async () => {
    for (const path of [
      '/v2/models/no.such',
      '/v2/models/demo.lead/versions/9/stats',
      '/nothing',
      '/v2/models',
    ]) {
      const answer = await worker.get(path);
      expect([path, answer.status, await answer.json()]).toEqual([path, 404, { error: expect.any(String) }]);
    }
    expect((await worker.get('/v2/models/%E0%A4%A')).status).toBe(400);
  });
});

describe('the operations port', () => {
  it('names the methods that it takes, and answers HEAD without a body', async () => {
    const posted = await fetch(`${base()}/metrics`, { method: 'POST', body: 'x' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const got = await fetch(`${base()}/v2/repository/index`);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    const head = await fetch(`${base()}/models`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(2);
  });

  it('refuses what is no HTTP, and headers and bodies that are too long', async () => {
    expect(await exchange('what is this\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await exchange(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    const long = 'POST /v2/repository/index HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n';
    expect(await exchange(long)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('drops who opens a connection and says nothing, or half of a request', async () => {
    const startedAt = Date.now();
    const [silent, half] = await Promise.all([exchange(''), exchange('GET / HTTP/1.1\r\nhost:')]);
    expect([silent, half].every((answer) => answer === '' || answer.startsWith('HTTP/1.1 408'))).toBe(true);
    expect(Date.now() - startedAt).toBeLessThan(12_000);
  });
});

describe('the status page', () => {
  it('shows what is served and how it does, without scripts or anything from elsewhere', async () => {
    const answer = await worker.get('/');
    const page = await answer.text();
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page).toContain('<h2>demo.recommend</h2>');
    expect(page).toContain('<span class="tag">live</span>');
    expect(page).toContain('3 batches of ≤1 rows');
    expect(page).not.toMatch(/<script|src=|https?:|@import|url\(/);
  });
});
