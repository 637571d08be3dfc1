/* global fetch */
// What the worker takes in memory by number of threads: the process, and each model as its own metric says.
//
//   npm run build && node bench/inference/memory.mjs [--threads 1,2,4]
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from '@sextant/local-services';
import { CONTESTANTS } from './contestants.mjs';
import { MODELS, prepareModels } from './models.mjs';
import { residentBytes } from './process-cpu.mjs';
import { startServer } from './server-process.mjs';
import { inferRequest } from './wire.mjs';

const MIB = 2 ** 20;
/** For what was only needed to load. */
const SETTLE_MS = 3_000;

const { values } = parseArgs({ options: { threads: { type: 'string', default: '1,2,4' } } });
const models = await prepareModels();
const lines = [];
for (const threads of values.threads.split(',')) {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const { command, args, env } = await CONTESTANTS.sextant.start({ models, port });
  const settings = { ...env, INFERENCE_THREADS: threads, METRICS_PORT: String(metricsPort) };
  const running = await startServer({ command, args, env: settings }, port, inferRequest(MODELS.ease, 1));
  try {
    await pause(SETTLE_MS);
    const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const cells = Object.values(MODELS).map(({ model }) => {
      const sample = page
        .split('\n')
        .find((line) => line.startsWith(`sextant_model_memory_bytes{model="${model}"`));
      return sample ? (Number(sample.split(' ').at(-1)) / MIB).toFixed(1) : '–';
    });
    lines.push(`| ${threads} | ${(residentBytes(running.pid) / MIB).toFixed(0)} | ${cells.join(' | ')} |`);
  } finally {
    await running.stop();
  }
}
const head = `| threads | process, MiB | ${Object.keys(MODELS).join(' | ')} |`;
process.stdout.write(`${head}\n|${'---|'.repeat(2 + Object.keys(MODELS).length)}\n${lines.join('\n')}\n`);
