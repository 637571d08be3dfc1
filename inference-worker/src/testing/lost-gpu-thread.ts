import { Worker } from 'node:worker_threads';
import { THREAD_ENTRY } from '../onnx/spawn-thread.js';

/** Replaces the messages of the real thread around its own code, which it loads last. */
const AROUND_THE_THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const [post, on] = [parentPort.postMessage.bind(parentPort), parentPort.on.bind(parentPort)];
  const [onGpu, opening] = [new Set(), new Set()];
  let runs = 0;
  parentPort.on = (event, listener) => on(event, (request) => {
    if (request.kind === 'load' && request.plan.providers.includes('cuda')) {
      onGpu.add(request.model.key);
      opening.add(request.id);
      request.plan = { providers: ['cpu'], strict: false };
    }
    const isLost = request.kind === 'run' && onGpu.has(request.job.key) && ++runs > workerData.runs;
    if (isLost) return post({ id: request.id, failure: 'the device is lost', lost: 'cuda' });
    listener(request);
  });
  parentPort.postMessage = (answer, transfer) => {
    if (opening.has(answer.id) && answer.opened) answer.opened.provider = 'cuda';
    post(answer, transfer);
  };
  import(workerData.entry);
`;

/**
 * An inference thread as a machine has it whose GPU is lost, which no machine of a test can be made to do: the real thread, which opens
 * models for `cuda` on the CPU and, after some runs of them, answers each with the loss of the provider.
 */
export function spawnThreadThatLosesItsGpu(runs = 0): Worker {
  const workerData = { entry: THREAD_ENTRY.href, runs };
  return new Worker(AROUND_THE_THREAD, { eval: true, workerData, execArgv: [] });
}
