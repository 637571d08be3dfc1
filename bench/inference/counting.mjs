// What counting for monitoring costs: CPU of a worker whose versions have a monitor.json beside one whose versions have none, the same build,
// asked in turns.
//
//   tsc -b && node bench/inference/counting.mjs [--rounds 8] [--calls 400] [--columns 20]
import { readFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ModelDirectory } from '@sextant/artefacts';
import { createDecisionsClient, toFeatureTable } from '@sextant/inference-protocol';
import { tableOfRecords } from '@sextant/learning';
import { buildReference } from '@sextant/learning/monitor';
import { onnxDescription, onnxFiles, writeLinearModel } from '@sextant/onnx';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '8' },
    calls: { type: 'string', default: '400' },
    columns: { type: 'string', default: '20' },
  },
});
const rounds = Number(values.rounds);
const calls = Number(values.calls);
const columns = Number(values.columns);
const NAMES = Array.from({ length: columns }, (_, i) => `x${i}`);
const CARD = {
  ...{ purpose: 'bench', trainingData: 'none', features: [], chosenBecause: 'written by hand' },
  ...{ metrics: {}, baselineMetrics: {}, limitations: [], warnings: [] },
};

const records = (count) =>
  Array.from({ length: count }, (_, row) =>
    Object.fromEntries(NAMES.map((name, i) => [name, Math.sin(row * 12.9898 + i * 78.233) * 3])),
  );

function reference() {
  const training = records(5_000);
  const probabilities = Float64Array.from(training, (_, i) => (i % 100) / 100);
  return buildReference({
    table: tableOfRecords(training),
    at: null,
    subjects: null,
    importance: new Map(NAMES.map((name) => [name, 1])),
    scores: [
      {
        name: 'probability',
        values: probabilities,
        labels: probabilities.map((p) => Number(p > 0.5)),
      },
    ],
  });
}

async function publish(root, monitor) {
  const linear = { coefficients: new Float64Array(columns).fill(0.1), intercept: 0 };
  const written = writeLinearModel(linear, { kind: 'probability', platt: { a: 1, b: 0 } });
  const numeric = { kind: 'numeric', fill: 0, transform: 'none', mean: 0, scale: 1, missingIndicator: false };
  const spec = {
    ...{
      task: 'lead',
      family: 'logistic',
      explainFile: null,
      bands: { warm: 0.3, hot: 0.7 },
      horizonDays: 30,
    },
    table: { columns: NAMES.map((column) => ({ ...numeric, column })), features: NAMES, standardised: false },
    quantiles: Array.from({ length: 101 }, (_, i) => i / 100),
    reliability: [{ upTo: 1, rows: 100, positives: 50 }],
  };
  const files = new Map(onnxFiles(written));
  if (monitor) files.set('monitor.json', Buffer.from(JSON.stringify(monitor)));
  const manifest = {
    ...{ model: 'demo.lead', tenantId: 'demo', trainedAt: '2026-03-01T00:00:00Z', seed: 1, dataRows: 0 },
    ...{ dataSha256: '0'.repeat(64), onnx: onnxDescription(written), metrics: {}, baselineMetrics: {} },
    ...{ warmUpBatchSizes: [1, 8], spec },
    ...(monitor && { monitorFile: 'monitor.json' }),
  };
  const directory = new ModelDirectory(root);
  await directory.publish(manifest, files, CARD);
  await directory.setLiveVersion('demo.lead', 1);
}

async function startWorker(monitor) {
  const root = await mkdtemp(join(tmpdir(), 'sextant-counting-'));
  await publish(root, monitor);
  const env = {
    ...process.env,
    ...{ PORT: '0', METRICS_PORT: '0', MODEL_REPOSITORY: root, INFERENCE_THREADS: '1' },
  };
  const child = spawn(process.execPath, ['inference-worker/dist/main.js'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  for await (const chunk of child.stdout) {
    told += chunk;
    if (told.includes('"msg":"ready"')) break;
  }
  const port = /"port":(\d+)/.exec(told)[1];
  return { child, root, client: createDecisionsClient({ address: `127.0.0.1:${port}` }), cpu: [] };
}

/** Of all threads of a process, milliseconds. */
async function cpuMs({ child }) {
  const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

async function round(worker, rows) {
  const request = { model: 'demo.lead', rows: toFeatureTable(rows) };
  const before = await cpuMs(worker);
  for (let i = 0; i < calls; i += 8)
    await Promise.all(
      Array.from({ length: 8 }, () => worker.client.scoreLeads(request, { deadlineMs: 30_000 })),
    );
  worker.cpu.push((await cpuMs(worker)) - before);
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const workers = [await startWorker(null), await startWorker(reference())];
try {
  for (const rowsPerCall of [1, 50, 250]) {
    const rows = records(rowsPerCall);
    for (const worker of workers) await round(worker, rows);
    for (const worker of workers) worker.cpu = [];
    for (let i = 0; i < rounds; i++)
      for (const worker of i % 2 ? workers : workers.toReversed()) await round(worker, rows);
    const [without, counted] = workers.map(({ cpu }) => median(cpu));
    const microsPerRow = ((counted - without) * 1_000) / (calls * rowsPerCall);
    process.stdout.write(
      `${rowsPerCall} rows a call, ${columns} columns: ${without} ms of CPU without, ${counted} ms counted, ratio ${(counted / without).toFixed(3)}, ${microsPerRow.toFixed(2)} µs a row\n`,
    );
  }
} finally {
  for (const { child, client, root } of workers) {
    await client.close();
    child.kill('SIGTERM');
    await once(child, 'exit');
    await rm(root, { recursive: true, force: true });
  }
}
