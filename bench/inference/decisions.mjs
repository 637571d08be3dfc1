/* global AbortController */
// CPU a row and the longest piece of work on the worker's main thread, by request of the domain service. Several builds are asked in turn.
//
//   tsc -b && node bench/inference/decisions.mjs [--worker inference-worker/dist/main.js] [--worker <another build>] [--repeat 3] [--only Recommend]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDecisionsClient } from '@sextant/inference-protocol';
import { publishModels } from './decisions/models.mjs';
import { requests } from './decisions/requests.mjs';

const { values } = parseArgs({
  options: {
    worker: { type: 'string', multiple: true, default: ['inference-worker/dist/main.js'] },
    repeat: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const repeat = Number(values.repeat);
const LIMIT_MS = 120_000;
const PROBE = new URL('./decisions/stall-probe.mjs', import.meta.url).href;

const root = await mkdtemp(join(tmpdir(), 'sextant-decisions-'));
const workers = [];
try {
  await publishModels(root);
  for (const main of values.worker) workers.push(await startWorker(main));
  for (const [name, each] of Object.entries(requests())) {
    if (name.includes(values.only)) await compare(name, each);
  }
} finally {
  for (const worker of workers) await stopWorker(worker);
  await rm(root, { recursive: true, force: true });
}

async function startWorker(main) {
  const env = {
    MODEL_REPOSITORY: root,
    PORT: '0',
    METRICS_PORT: '0',
    INFERENCE_THREADS: '1',
    LOG_LEVEL: 'info',
  };
  const child = spawn(process.execPath, ['--max-semi-space-size=64', '--import', PROBE, main], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const port = await portOf(child);
  return { main, child, client: createDecisionsClient({ address: `127.0.0.1:${port}` }) };
}

async function stopWorker({ client, child }) {
  client.close();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** The port that the log names, once the models are served too. */
function portOf(child) {
  return new Promise((resolve, reject) => {
    let log = '';
    let port;
    child.once('exit', () => reject(new Error(`the worker ended: ${log}`)));
    child.stdout.on('data', (chunk) => {
      log += chunk;
      port ??= /"port":(\d+)/.exec(log)?.[1];
      if (port !== undefined && log.includes('"msg":"ready"')) resolve(Number(port));
    });
  });
}

async function read(child) {
  const answered = once(child, 'message');
  child.send('read');
  return (await answered)[0];
}

async function compare(name, { method, rows, request, isRefused = false }) {
  const results = workers.map(() => ({ processMs: [], mainMs: [], longestMs: [], outcome: '' }));
  for (let round = 0; round <= repeat; round++) {
    for (const i of workers.keys()) {
      const one = await askOrRestart(i, { method, request, calls: rows === 1 ? 1_000 : 1 });
      if (round === 0) continue;
      results[i].outcome = one.outcome;
      for (const key of ['processMs', 'mainMs', 'longestMs']) results[i][key].push(one[key]);
    }
  }
  for (const [i, { processMs, mainMs, longestMs, outcome }] of results.entries()) {
    const calls = rows === 1 ? 1_000 : 1;
    const perRow = (median(processMs) * 1_000) / (rows * calls);
    const stall = Math.max(...longestMs);
    console.log(
      `${name.padEnd(58)} ${workers[i].main.slice(-44).padEnd(44)} ${outcome.padEnd(12)} CPU a row ${perRow.toFixed(1).padStart(8)} us, main thread ${((median(mainMs) * 1_000) / (rows * calls)).toFixed(1).padStart(8)} us, longest ${stall.toFixed(1).padStart(7)} ms${i > 0 ? `, ${(median(processMs) / median(results[0].processMs)).toFixed(2)}x the CPU` : ''}${isRefused ? ' (to be refused)' : ''}`,
    );
  }
}

/** A worker that a request ends is started again, and what it did is said. */
async function askOrRestart(i, call) {
  const { child, main } = workers[i];
  const asked = new AbortController();
  const died = once(child, 'exit', { signal: asked.signal }).then(
    () => null,
    () => null,
  );
  const one = await Promise.race([ask(workers[i], call), died]);
  asked.abort();
  if (one !== null) return one;
  await stopWorker(workers[i]);
  workers[i] = await startWorker(main);
  return { outcome: 'worker died', processMs: Number.NaN, mainMs: Number.NaN, longestMs: Number.NaN };
}

async function ask({ client, child }, { method, request, calls }) {
  const before = await read(child);
  let outcome = 'ok';
  for (let call = 0; call < calls; call++) {
    await client[method](request, { deadlineMs: LIMIT_MS }).catch(
      (error) => (outcome = error.code ?? error.message),
    );
  }
  const after = await read(child);
  return {
    outcome,
    processMs: after.processMs - before.processMs,
    mainMs: after.mainMs - before.mainMs,
    longestMs: after.longestMs,
  };
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
