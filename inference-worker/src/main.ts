import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { DomainError } from '@sextant/domain';
import { loadTracing } from '@sextant/telemetry';
import { pino } from 'pino';
import { FailureLog } from './operations/failure-log.js';
import { type RunningWorker, startWorker } from './worker.js';
import { loadWorkerConfig, type WorkerConfig } from './worker-config.js';

// Tensors lie outside V8's heap, and V8 collects its whole heap for every 64 MB of such memory unless it counts it into the heap's
// own limit; the limit then is twice what survives. For calls of 3 MB each way this is 40% of the worker's CPU (bench/inference,
// --models ease --loads 256x16).
setFlagsFromString('--external-memory-accounted-in-global-limit');
setFlagsFromString('--heap-growing-percent=100');

let isStopping = false;

function stop(): void {
  if (isStopping) return;
  isStopping = true;
  started
    .then((worker) => worker.close())
    .then(
      () => process.exit(0),
      () => process.exit(1),
    );
}
// Before anything else, so that a signal during the start is honoured too.
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

async function start(): Promise<RunningWorker> {
  const config = loadWorkerConfig(process.env);
  const logger = pino({
    level: config.LOG_LEVEL,
    base: { service: 'inference-worker' },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const failures = new FailureLog(logger);
  const onProblem = (problem: string): void =>
    failures.repeated('warn', { problem: problem.slice(0, 300) }, 'spans cannot be exported');
  const tracing = await loadTracing(process.env, { service: 'inference-worker', version, onProblem });
  const worker = await startWorker({ config, logger, version, tracing });
  logger.info(
    { port: worker.grpcPort, metricsPort: worker.metricsPort, version, config: loggable(config) },
    'listening',
  );
  return worker;
}

/** The configuration in effect, without the password that the address of a repository may hold. */
function loggable(config: WorkerConfig): WorkerConfig {
  return { ...config, MODEL_REPOSITORY: config.MODEL_REPOSITORY.replace(/\/\/[^/@]*@/, '//…@') };
}

const started = start();
started.catch((error: unknown) => {
  const reason =
    error instanceof DomainError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`inference-worker: ${reason}\n`);
  process.exit(1);
});
