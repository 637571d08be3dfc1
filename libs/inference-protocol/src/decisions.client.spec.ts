import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
import { afterEach, describe, expect, it } from 'vitest';
import { createDecisionsClient, type DecisionsClient } from './decisions.client.js';
import type { Decoded, RecommendRequest, RecommendResponse } from './decisions-messages.js';
import { toStatusAnswer } from './grpc-status.js';
import { decisionsService } from './service-definitions.js';

type Call = ServerUnaryCall<Decoded<RecommendRequest>, RecommendResponse>;
type Reply = sendUnaryData<RecommendResponse>;

const servedBy = {
  model: 'm',
  version: '1',
  device: 'CPU',
  queueMs: 0,
  computeMs: 0,
  batchSize: 1,
  trainedAt: '',
};
const request: RecommendRequest = { model: 'm', rows: [{ history: ['a'], first: 1 }] };
const cleanUp: (() => void)[] = [];
afterEach(() => cleanUp.splice(0).forEach((step) => step()));

/** A real server whose Recommend is the given function. */
async function serve(
  recommend: (call: Call, reply: Reply) => void,
  port = 0,
): Promise<{ port: number; stop(): void }> {
  const server = new Server();
  server.addService(decisionsService, { Recommend: recommend });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    );
  });
  const stop = (): void => server.forceShutdown();
  cleanUp.push(stop);
  return { port: bound, stop };
}

function clientOf(port: number): DecisionsClient {
  const client = createDecisionsClient({ address: `127.0.0.1:${port}` });
  cleanUp.push(() => void client.close());
  return client;
}

const answer = (_call: Call, reply: Reply): void => reply(null, { servedBy, slates: [] });

describe('the decisions client', () => {
  it('sends defaults for what was left out, the deadline and the trace context', async () => {
    let seen: Call | undefined;
    const { port } = await serve((call, reply) => {
      seen = call;
      answer(call, reply);
    });
    const before = Date.now();
    const response = await clientOf(port).recommend(request, { deadlineMs: 5_000, traceparent: '00-a-b-01' });

    expect(response).toEqual({ servedBy, slates: [] });
    expect(seen?.request).toEqual({
      model: 'm',
      version: '',
      rows: [{ history: ['a'], exclude: [], first: 1, sums: 0 }],
      reasonsPerItem: 0,
    });
    expect(seen?.metadata.get('traceparent')).toEqual(['00-a-b-01']);
    const remaining = Number(seen?.getDeadline()) - before;
    expect(remaining).toBeGreaterThan(4_000);
    expect(remaining).toBeLessThan(6_000);
  });

  it('fails at once while nothing listens, and is served within 5 s of the return', async () => {
    const first = await serve(answer);
    const client = clientOf(first.port);
    await client.recommend(request, { deadlineMs: 5_000 });
    first.stop();
    const failing = Date.now();
    await expect(client.recommend(request, { deadlineMs: 5_000 })).rejects.toMatchObject({
      code: 'INFERENCE_UNAVAILABLE',
    });
    expect(Date.now() - failing).toBeLessThan(2_000);
    // Long enough down for the pauses between attempts to have grown.
    const downUntil = Date.now() + 3_000;
    while (Date.now() < downUntil) {
      await client.recommend(request, { deadlineMs: 500 }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await serve(answer, first.port);
    const back = Date.now();
    let served = false;
    while (!served && Date.now() - back < 5_000) {
      served = await client.recommend(request, { deadlineMs: 500 }).then(
        () => true,
        () => false,
      );
      if (!served) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(served).toBe(true);
  });

  it('tries again, three times at most, when the worker says it is unavailable', async () => {
    let calls = 0;
    const refuse = (until: number) => (call: Call, reply: Reply) =>
      ++calls < until
        ? reply(toStatusAnswer(new DomainError('INFERENCE_UNAVAILABLE', 'starting')))
        : answer(call, reply);
    await clientOf((await serve(refuse(2))).port).recommend(request, { deadlineMs: 5_000 });
    expect(calls).toBe(2);
    calls = 0;
    const failing = clientOf((await serve(refuse(9))).port).recommend(request, { deadlineMs: 5_000 });
    await expect(failing).rejects.toMatchObject({ code: 'INFERENCE_UNAVAILABLE', message: 'starting' });
    expect(calls).toBe(3);
  });

  it('does not repeat what the worker refused', async () => {
    let calls = 0;
    const { port } = await serve((_call, reply) => {
      calls += 1;
      reply({ code: status.RESOURCE_EXHAUSTED, details: 'full' });
    });
    await expect(clientOf(port).recommend(request, { deadlineMs: 5_000 })).rejects.toMatchObject({
      code: 'QUEUE_FULL',
    });
    expect(calls).toBe(1);
  });

  it('ends at the deadline, and makes no call without any budget', async () => {
    let calls = 0;
    const { port } = await serve(() => {
      calls += 1;
    });
    const client = clientOf(port);
    await expect(client.recommend(request, { deadlineMs: 200 })).rejects.toMatchObject({
      code: 'INFERENCE_DEADLINE_EXCEEDED',
    });
    await expect(client.recommend(request, { deadlineMs: 0 })).rejects.toMatchObject({
      code: 'INFERENCE_DEADLINE_EXCEEDED',
    });
    await expect(client.recommend(request, { deadlineMs: Number.NaN })).rejects.toMatchObject({
      code: 'INFERENCE_DEADLINE_EXCEEDED',
    });
    expect(calls).toBe(1);
  });

  it('cancels the call at the worker when the caller aborts', async () => {
    const abort = new AbortController();
    const cancelled = new Promise<void>((resolve) => {
      void serve((call) => {
        call.once('cancelled', resolve);
        abort.abort(new Error('enough'));
      }).then(({ port }) =>
        clientOf(port)
          .recommend(request, { deadlineMs: 5_000, signal: abort.signal })
          .catch((error: Error) => seen.push(error.message)),
      );
    });
    const seen: string[] = [];
    await cancelled;
    expect(seen).toEqual(['enough']);
    const later = clientOf(1).recommend(request, { deadlineMs: 5_000, signal: abort.signal });
    await expect(later).rejects.toThrow('enough');
  });
});
