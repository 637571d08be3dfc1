// The servers of the comparison: how each is started, and which models it can serve.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@sextant/local-services';
import { keepMessage, MODELS } from './models.mjs';
import { findPython } from './setup.mjs';
import { inferRequest, inferResponse } from './wire.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const WORKER = here('../../inference-worker/dist/main.js');

/**
 * Every contestant by name. `start` gives the command, arguments and environment that serve one model on a port, or null where the
 * contestant cannot.
 */
export const CONTESTANTS = {
  echo: { says: 'grpc-js, fixed answer', start: startEcho },
  sextant: { says: 'this worker', start: (call) => startWorker(call, {}) },
  'sextant-alone': {
    says: 'this worker, one row a run',
    start: (call) => startWorker(call, { INFERENCE_MAX_BATCH_ROWS: '1' }),
  },
  'sextant-threads': {
    says: 'this worker, nothing on its main thread',
    start: (call) => startWorker(call, { INFERENCE_INLINE_MS: '0' }),
  },
  aio: { says: 'grpc.aio + ONNX Runtime', isPeer: true, start: startAio },
  mlserver: { says: 'MLServer 1.7.1', isPeer: true, start: startMlserver },
};

function startEcho({ model, rowCounts, port }) {
  const answers = rowCounts.map((rows) => {
    const answer = keepMessage(`${model}-${rows}.response`, inferResponse(MODELS[model], rows));
    return `${inferRequest(MODELS[model], rows).byteLength}=${answer}`;
  });
  return { command: process.execPath, args: [here('./echo.mjs'), String(port), ...answers] };
}

async function startWorker({ models, port }, settings) {
  const env = {
    PORT: String(port),
    METRICS_PORT: String(await freePort()),
    MODEL_REPOSITORY: models.root,
    INFERENCE_THREADS: '1',
    LOG_LEVEL: 'warn',
    ...settings,
    ...(process.env['WORKER_ENV'] ? JSON.parse(process.env['WORKER_ENV']) : {}),
  };
  const flags = (process.env['WORKER_NODE_FLAGS'] ?? '').split(' ').filter(Boolean);
  return { command: process.execPath, args: [...flags, process.env['WORKER_MAIN'] ?? WORKER], env };
}

function startAio({ models, port }) {
  const python = findPython('peer');
  if (python === null) return null;
  const served = Object.entries(MODELS)
    .filter(([name]) => models.onnx[name] !== null)
    .map(([name, { model }]) => `${model}=${models.onnx[name]}`);
  return { command: python, args: [here('./peers/aio_server.py'), String(port), ...served] };
}

/** As it comes, but for worker processes: in-process models (`parallel_workers` 0) cost it least. */
async function startMlserver({ model, models, port }) {
  const python = findPython('mlserver');
  const file = model === 'trees' ? models.lightGbmText : models.onnx[model];
  if (python === null || file === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'bench-mlserver-'));
  mkdirSync(join(folder, model));
  const settings = {
    host: '127.0.0.1',
    http_port: await freePort(),
    grpc_port: port,
    metrics_port: await freePort(),
    parallel_workers: 0,
    debug: false,
  };
  const implementation = model === 'trees' ? 'mlserver_lightgbm.LightGBMModel' : 'mlserver_onnx.OnnxModel';
  const parameters = { uri: file, version: '1' };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  writeFileSync(
    join(folder, model, 'model-settings.json'),
    JSON.stringify({ name: MODELS[model].model, implementation, parameters }),
  );
  const env = { PYTHONPATH: here('./peers'), OMP_NUM_THREADS: '1' };
  return {
    command: python,
    args: ['-c', 'from mlserver.cli import main; main()', 'start', folder],
    env,
    folder,
  };
}
