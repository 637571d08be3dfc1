/* global fetch */
// Scores every customer of a company with one churn model: by a batch job (trainer, inference worker, MongoDB) and by a
// script in Python (pymongo, NumPy, ONNX Runtime) over the same customers, model and store.
//
//   npm run build && node bench/batch/score-million.mjs [--customers 1000000] [--python <python>] [--kill] [--single]
//
// The Python needs pymongo, numpy and onnxruntime. --kill kills the scoring process in the middle; --single makes single calls
// to the worker meanwhile. Rates are of the wall clock; CPU is of all threads of a process, mongod apart.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ModelDirectory } from '@sextant/artefacts';
import { BatchJobs, processedOf } from '@sextant/batch-scoring';
import { scoreInput } from '@sextant/features';
import { createDecisionsClient, toFeatureTable } from '@sextant/inference-protocol';
import { freePort } from '@sextant/local-services';
import { startMongoServer } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { cpuMicros, processTree } from '../inference/process-cpu.mjs';
import { MODEL, publishChurn, seedCustomers, TENANT } from './population.mjs';

const { values: options } = parseArgs({
  options: {
    customers: { type: 'string', default: '1000000' },
    python: { type: 'string' },
    kill: { type: 'boolean', default: false },
    single: { type: 'boolean', default: false },
  },
});
const CUSTOMERS = Number(options.customers);
const PYTHON_PAGE_ROWS = 2_000;
const LIMIT_MS = 3_600_000;
const CHECKED = 500;
/** Pause between two single calls, whatever the one before took. */
const SINGLE_EVERY_MS = 20;
const root = join(import.meta.dirname, '../..');

const mongo = await startMongoServer();
const uri = mongo.uri.replace('/?', '/bench?');
const folder = await mkdtemp(join(tmpdir(), 'sextant-batch-'));
const store = await new MongoClient(uri).connect();
const db = store.db();
const running = [];
try {
  say(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`);
  const seeding = stopwatch();
  await seedCustomers(db, CUSTOMERS);
  const { avgObjSize, storageSize } = (
    await db
      .collection('customer_features')
      .aggregate([{ $collStats: { storageStats: {} } }])
      .next()
  ).storageStats;
  say(
    `${CUSTOMERS} customers of ${avgObjSize} bytes (${Math.round(storageSize / 2 ** 20)} MiB stored) in ${seconds(seeding())} s`,
  );
  const version = await publishChurn(new ModelDirectory(folder));
  const worker = await startWorker();
  const ours = await scoreByJob(worker);
  if (options.single) say(`single calls meanwhile: ${ours.single}`);
  await checkValues(worker);
  if (options.python) await scoreInPython(version, ours);
} finally {
  for (const child of running) await end(child);
  await store.close();
  await mongo.stop();
  await rm(folder, { recursive: true, force: true });
}

async function startWorker() {
  const [port, metrics] = [await freePort(), await freePort()];
  const env = { PORT: port, METRICS_PORT: metrics, MODEL_REPOSITORY: folder, LOG_LEVEL: 'error' };
  const child = start('inference-worker/dist/main.js', [], env);
  await until(async () => (await fetch(`http://127.0.0.1:${metrics}/health/ready`)).ok, 60_000);
  return { child, address: `127.0.0.1:${port}` };
}

async function scoreByJob(worker) {
  const jobs = new BatchJobs(db);
  await jobs.ensureIndexes();
  const env = { MONGODB_URI: uri, MODEL_REPOSITORY: folder, INFERENCE_URL: worker.address };
  const trainer = start('trainer/dist/main.js', ['work'], { ...env, METRICS_PORT: await freePort() });
  const calm = options.single ? await singleCalls(worker.address, async () => pause(3_000)) : null;
  const before = { worker: cpuMicros(worker.child.pid), mongod: cpuMicros(mongo.pid) };
  const took = stopwatch();
  const { id } = await jobs.enqueue({ tenantId: TENANT, task: 'churn' });
  const cpu = { scoring: 0, killed: false };
  const finish = () => followed(jobs, id, trainer, cpu);
  let job;
  const busy = options.single ? await singleCalls(worker.address, async () => (job = await finish())) : null;
  job ??= await finish();
  if (job.state !== 'SUCCEEDED') throw new Error(`the job ended ${job.state}: ${job.failure?.message}`);
  const wallMs = took();
  report('job', wallMs, {
    'scoring process': cpu.scoring,
    worker: cpuMicros(worker.child.pid) - before.worker,
    mongod: cpuMicros(mongo.pid) - before.mongod,
  });
  const documents = await db.collection('customer_scores').countDocuments();
  say(
    `job: ${job.scored} scored, ${processedOf(job) - job.scored} failed, ${documents} documents${cpu.killed ? ', killed once' : ''}`,
  );
  if (job.scored !== CUSTOMERS || documents !== CUSTOMERS) throw new Error('not everybody exactly once');
  return { wallMs, asOf: job.asOf, single: calm && `${describe(busy)}; without the job ${describe(calm)}` };
}

/** Waits for the job, adds up the CPU of its processes, and kills one where that is asked for. */
async function followed(jobs, id, trainer, cpu) {
  const seen = new Map();
  for (const limit = performance.now() + LIMIT_MS; performance.now() < limit; await pause(100)) {
    const [, ...scoring] = processTree(trainer.pid);
    for (const pid of scoring) {
      const micros = cpuMicros(pid);
      if (micros > 0) seen.set(pid, micros);
    }
    cpu.scoring = [...seen.values()].reduce((sum, micros) => sum + micros, 0);
    const job = await jobs.find(TENANT, id);
    if (['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(job.state)) return job;
    if (options.kill && !cpu.killed && scoring[0] && processedOf(job) > CUSTOMERS / 2) {
      process.kill(scoring[0], 'SIGKILL');
      cpu.killed = true;
    }
  }
  throw new Error('the job did not end');
}

/** Latencies of calls of one row, high priority, one after the other while `work` goes on. */
async function singleCalls(address, work) {
  const client = createDecisionsClient({ address });
  const rows = toFeatureTable([{ 'recency.days': 3, 'count.order.total': 2 }]);
  const took = [];
  let isOver = false;
  const ended = work().finally(() => (isOver = true));
  while (!isOver) {
    const from = performance.now();
    await client.scoreLeads({ model: MODEL, rows }, { deadlineMs: 2_000, priority: 'high' });
    took.push(performance.now() - from);
    await pause(SINGLE_EVERY_MS);
  }
  await ended;
  await client.close();
  return took.sort((a, b) => a - b);
}

function describe(took) {
  const at = (share) => `${took[Math.min(took.length - 1, Math.floor(share * took.length))].toFixed(2)} ms`;
  return `${took.length} calls, median ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}`;
}

/** What the job wrote against single scoring as of the same instant. */
async function checkValues({ address }) {
  const client = createDecisionsClient({ address });
  const scores = await db
    .collection('customer_scores')
    .aggregate([{ $sample: { size: CHECKED } }])
    .toArray();
  let largest = 0;
  for (const { customerId, score, asOf } of scores) {
    const { state } = await db.collection('customer_features').findOne({ _id: customerId });
    const rows = toFeatureTable([scoreInput('churn', state, asOf).features]);
    const answer = await client.scoreLeads({ model: MODEL, rows }, { deadlineMs: 5_000 });
    largest = Math.max(largest, Math.abs(answer.scores[0].probability - score));
  }
  await client.close();
  say(`largest difference to single scoring over ${scores.length}: ${largest}`);
}

async function scoreInPython(version, ours) {
  const files = join(folder, MODEL, String(version));
  const before = cpuMicros(mongo.pid);
  const output = execFileSync(
    options.python,
    [
      join(import.meta.dirname, 'score.py'),
      uri,
      join(files, 'model.onnx'),
      join(files, 'manifest.json'),
      String(ours.asOf.getTime()),
      String(PYTHON_PAGE_ROWS),
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const { rows, seconds: wall, cpuSeconds } = JSON.parse(output);
  if (rows !== CUSTOMERS) throw new Error(`Python scored ${rows}`);
  report('Python', wall * 1_000, { python: cpuSeconds * 1e6, mongod: cpuMicros(mongo.pid) - before });
  say(`job / Python: ${((wall * 1_000) / ours.wallMs).toFixed(2)} × the rate`);
  const [difference] = await db
    .collection('customer_scores')
    .aggregate([
      { $sample: { size: 5_000 } },
      { $lookup: { from: 'customer_scores_python', localField: '_id', foreignField: '_id', as: 'other' } },
      {
        $group: {
          _id: null,
          most: { $max: { $abs: { $subtract: ['$score', { $first: '$other.score' }] } } },
        },
      },
    ])
    .toArray();
  say(`largest difference to Python over 5000: ${difference.most}`);
}

function report(who, wallMs, cpu) {
  const parts = Object.entries(cpu).map(([name, micros]) => `${name} ${(micros / 1e6).toFixed(1)} s`);
  const total = Object.values(cpu).reduce((sum, micros) => sum + micros, 0);
  const rate = Math.round((1_000 * CUSTOMERS) / wallMs);
  say(
    `${who}: ${seconds(wallMs)} s, ${rate} customers/s, ${(total / CUSTOMERS).toFixed(1)} µs CPU a customer (${parts.join(', ')})`,
  );
}

function start(script, args, env) {
  const flags = (process.env['SCORING_NODE_FLAGS'] ?? '').split(' ').filter(Boolean);
  const child = spawn(process.execPath, [...(args.length > 0 ? flags : []), join(root, script), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  running.push(child);
  return child;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

async function until(holds, withinMs) {
  for (const limit = performance.now() + withinMs; ; await pause(50)) {
    if (await holds().catch(() => false)) return;
    if (performance.now() > limit) throw new Error(`not within ${withinMs} ms`);
  }
}

function stopwatch() {
  const from = performance.now();
  return () => performance.now() - from;
}

function seconds(ms) {
  return (ms / 1_000).toFixed(1);
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
