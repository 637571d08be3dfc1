import { Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { monitoringService } from '../service-definitions.js';
import type { WorkerReport } from './monitoring-messages.js';
import { WorkersWatch } from './workers-watch.js';

type WatchCall = ServerWritableStream<{ periodMs: number }, Partial<WorkerReport>>;

const cleanUp: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** A real gRPC server whose Watch is the given function. */
async function aWorker(watch: (call: WatchCall) => void, port = 0): Promise<{ port: number; stop(): void }> {
  const server = new Server();
  server.addService(monitoringService, { Watch: watch });
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    ),
  );
  const stop = (): void => server.forceShutdown();
  cleanUp.push(stop);
  return { port: bound, stop };
}

const says = (worker: string) => (call: WatchCall) => void call.write({ worker });

async function eventually(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function watching(
  address: string,
  onReport: (report: WorkerReport) => Promise<void> = async () => undefined,
): { watch: WorkersWatch; heard: string[]; problems: string[] } {
  const [heard, problems]: [string[], string[]] = [[], []];
  const watch = new WorkersWatch({
    address,
    periodMs: 250,
    onReport: async (report) => {
      heard.push(report.worker);
      await onReport(report);
    },
    onProblem: (error) => problems.push(error.message),
  });
  cleanUp.push(() => watch.close());
  return { watch, heard, problems };
}

describe('WorkersWatch', () => {
  it('hears every worker of an address, and asks for the period', async () => {
    const periods: number[] = [];
    const answering = (worker: string) => (call: WatchCall) => {
      periods.push(call.request.periodMs);
      says(worker)(call);
    };
    const [a, b] = [await aWorker(answering('a')), await aWorker(answering('b'))];
    const { watch, heard } = watching(`127.0.0.1:${a.port},127.0.0.1:${b.port}`);
    await eventually(() => heard.includes('a') && heard.includes('b'));
    expect(periods).toEqual([250, 250]);
    await eventually(() => watch.list().every(({ isOpen, heardAt }) => isOpen && heardAt !== null));
  });

  it('says that a worker cannot be heard, and hears it once it is there again', async () => {
    const first = await aWorker(says('before'));
    const { watch, heard, problems } = watching(`127.0.0.1:${first.port}`);
    await eventually(() => heard.includes('before'));
    first.stop();
    await eventually(() => problems.length > 0 && watch.list().every(({ isOpen }) => !isOpen));
    await aWorker(says('after'), first.port);
    await eventually(() => heard.includes('after'));
  });

  it('opens a stream that ends again, without calling it a problem', async () => {
    const { port } = await aWorker((call) => {
      call.write({ worker: 'w' });
      setTimeout(() => call.end(), 20);
    });
    const { heard, problems } = watching(`127.0.0.1:${port}`);
    await eventually(() => heard.length >= 3);
    expect(problems).toEqual([]);
  });

  it('begins anew where a report is not taken, and hands over one report after the other', async () => {
    let streams = 0;
    const { port } = await aWorker((call) => {
      streams += 1;
      for (const worker of ['1', '2', '3']) call.write({ worker });
    });
    let [running, most, failures] = [0, 0, 2];
    const { heard, problems } = watching(`127.0.0.1:${port}`, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      if (failures-- > 0) throw new Error('the store is away');
    });
    await eventually(() => heard.slice(-3).join() === '1,2,3');
    expect(streams).toBe(3);
    expect(problems).toEqual(['the store is away', 'the store is away']);
    expect(most).toBe(1);
  });

  it('leaves a worker that does not know the method alone for a minute', async () => {
    let calls = 0;
    const { port } = await aWorker((call) => {
      calls += 1;
      call.emit('error', { code: status.UNIMPLEMENTED, details: 'no such method' });
    });
    // One that is opened again and again tells that there was time.
    const other = await aWorker((call) => {
      call.write({ worker: 'other' });
      call.end();
    });
    const { heard, problems } = watching(`127.0.0.1:${port},127.0.0.1:${other.port}`);
    await eventually(() => heard.length >= 4);
    expect(problems).toHaveLength(1);
    expect(calls).toBe(1);
  });
});
