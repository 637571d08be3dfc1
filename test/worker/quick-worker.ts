import { GrpcCaller, INFER, STATUS } from './grpc-caller.js';
import { decodeInfer, encodeInfer, float32Values } from './infer-wire.js';
import { aRepository, isSumOf, publishSum, sumInput } from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

/** A worker with one small model, `quick.recommend`, and an honest client of it. */
export interface QuickWorker {
  worker: WorkerProcess;
  /** on a connection of its own */
  caller: GrpcCaller;
  /** @throws Error unless an honest call is answered correctly, and soon */
  expectServes(): Promise<void>;
  stop(): Promise<void>;
}

/** Three rows that {@link QuickWorker.expectServes} asks for. */
export const QUESTION = encodeInfer({ model: 'quick.recommend', inputs: [sumInput(3, 9)] });

export async function startQuickWorker(): Promise<QuickWorker> {
  const { directory, root, remove } = await aRepository();
  await directory.setLiveVersion('quick.recommend', await publishSum(directory, 'quick.recommend'));
  const worker = await startWorkerProcess(root, { INFERENCE_THREADS: '1' });
  const caller = new GrpcCaller(worker.address);
  return {
    worker,
    caller,
    expectServes: async () => {
      const { status, body, message } = await caller.call(INFER, QUESTION, { deadlineMs: 10_000 });
      if (status !== STATUS.OK) throw new Error(`an honest call got ${status}: ${message}`);
      const answer = float32Values(decodeInfer(body ?? Buffer.alloc(0)).outputs[0]?.bytes ?? Buffer.alloc(0));
      if (!isSumOf(answer, 3, { first: 9 })) throw new Error(`an honest call got ${answer.join(', ')}`);
      if (!worker.isAlive()) throw new Error('the worker is gone');
    },
    stop: async () => {
      caller.close();
      await worker.kill();
      await remove();
    },
  };
}
