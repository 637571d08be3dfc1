import { answerOf, WorkerServer } from './worker-server.js';

/** A worker in a process of its own, which answers after the milliseconds of its first argument; it tells its port to its parent. */
const latencyMs = Number(process.argv[2] ?? 0);

const worker = await WorkerServer.start((_call, reply) => {
  const answer = (): void => reply(null, answerOf('CPU'));
  if (latencyMs > 0) setTimeout(answer, latencyMs);
  else answer();
});
process.send?.(worker.port);
