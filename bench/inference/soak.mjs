// The worker under mixed load for a long time: does anything grow?
//
//   npm run build && node bench/inference/soak.mjs [--minutes 60] [--callers 16] [--threads 2] [--swap-seconds 10]
//
// Rows of four models of random counts, cancelled and hopeless calls, malformed messages, decisions through the client library, connections that come
// and go, a new version of a model every few seconds, a canary that comes and goes, scrapes. Every answer is checked. At the end: the slope of memory,
// descriptors, handles and threads per minute with its standard error, without the first fifth, in which caches fill.
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDecisionsClient } from '@sextant/inference-protocol';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    callers: { type: 'string', default: '16' },
    threads: { type: 'string', default: '2' },
    'swap-seconds': { type: 'string', default: '10' },
  },
});
const minutes = Number(values.minutes);
const callers = Number(values.callers);
const swapMs = Number(values['swap-seconds']) * 1000;

const root = join(import.meta.dirname, '../..');
const built = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', 'test'], {
  cwd: root,
  stdio: 'inherit',
});
if (built.status !== 0) process.exit(1);
const harness = (name) => import(`../../test/dist/worker/${name}.js`);
const { startWorkerProcess } = await harness('worker-process');
const { GrpcCaller, INFER, STATUS } = await harness('grpc-caller');
const { decodeInfer, encodeInfer, float32Values, grpcFrame } = await harness('infer-wire');
const { mutations } = await harness('hostile-call');
const { slopeOf } = await harness('open-loop');
const models = await harness('worker-models');

const GAUGES = {
  residentMb: ['process_resident_memory_bytes', 2 ** 20],
  heapMb: ['nodejs_heap_size_used_bytes', 2 ** 20],
  externalMb: ['nodejs_external_memory_bytes', 2 ** 20],
  descriptors: ['process_open_fds', 1],
  handles: ['nodejs_active_handles_total', 1],
};
const SWAPPED = 'swapped.recommend';
const FIXED = ['one.recommend', 'two.recommend'];
const DEEP = 'deep.price';
const draw = models.seeded(17);
const counts = {
  answered: 0,
  refused: 0,
  cancelled: 0,
  hopeless: 0,
  malformed: 0,
  decisions: 0,
  swaps: 0,
  wrong: 0,
};
const wrong = [];

const repository = await models.aRepository();
const { directory } = repository;
await directory.setLiveVersion(SWAPPED, await models.publishSum(directory, SWAPPED, 1));
for (const model of FIXED)
  await directory.setLiveVersion(model, await models.publishSum(directory, model, 1));
const deep = await models.publishDeep(directory, DEEP, { layers: 20, width: 128 });
await directory.setLiveVersion(DEEP, deep.version);
const worker = await startWorkerProcess(repository.root, {
  INFERENCE_THREADS: values.threads,
  MAX_CONNECTION_AGE_MS: '60000',
});
const client = createDecisionsClient({ address: worker.address });
let connection = new GrpcCaller(worker.address, 2);
const startedAt = performance.now();
const endsAt = startedAt + minutes * 60_000;
const samples = [];

function note(message) {
  counts.wrong += 1;
  console.error(`minute ${((performance.now() - startedAt) / 60_000).toFixed(2)}: ${message}`);
  if (wrong.length < 10) wrong.push(message);
}

async function inferRows() {
  const rows = draw() < 0.05 ? 257 + Math.floor(draw() * 500) : 1 + Math.floor(draw() * 60);
  const first = Math.floor(draw() * 4096);
  const lot = draw();
  const isDeep = draw() < 0.1;
  const model = isDeep ? DEEP : draw() < 0.5 ? SWAPPED : FIXED[Math.floor(draw() * FIXED.length)];
  const input = isDeep ? models.deepInput(Math.min(rows, 60), draw) : models.sumInput(rows, first);
  const settings = { deadlineMs: lot < 0.02 ? 1 : 30_000 };
  if (lot > 0.98) settings.onCancel = (cancel) => setTimeout(cancel, draw() * 5);
  const { status, message, body } = await connection.call(
    INFER,
    encodeInfer({ model, inputs: [input] }),
    settings,
  );
  if (lot < 0.02) return void (counts.hopeless += 1);
  if (lot > 0.98) return void (counts.cancelled += 1);
  if (status === STATUS.RESOURCE_EXHAUSTED) return void (counts.refused += 1);
  // A connection that was closed below has calls that had not been sent.
  if (status === -1) return undefined;
  if (status !== STATUS.OK) return note(`${model}: ${status} ${message}`);
  counts.answered += 1;
  const reply = decodeInfer(body);
  const answer = float32Values(reply.outputs[0].bytes);
  const scale = model === SWAPPED ? Number(reply.version) : 1;
  if (!isDeep && !models.isSumOf(answer, rows, { first, scale }))
    note(`${model} version ${reply.version}: wrong rows`);
}

async function sendNonsense() {
  const message = encodeInfer({ model: SWAPPED, inputs: [models.sumInput(3, 1)] });
  const [{ frame }] = mutations(message, 7, draw).slice(Math.floor(draw() * 7));
  await connection.send(INFER, frame ?? grpcFrame(message), { deadlineMs: 10_000 });
  counts.malformed += 1;
}

async function askDecision() {
  const rows = [{ history: ['i0', 'i1'], first: 2 }];
  const { slates } = await client.recommend({ model: FIXED[0], rows }, { deadlineMs: 10_000 });
  counts.decisions += 1;
  if (slates[0]?.items[0]?.item !== 'i3') note('recommend: another item than i3');
}

async function caller() {
  while (performance.now() < endsAt && worker.isAlive()) {
    const lot = draw();
    await (lot < 0.03 ? sendNonsense() : lot < 0.1 ? askDecision() : inferRows()).catch((error) =>
      note(String(error)),
    );
    await new Promise((resolve) => setTimeout(resolve, 5 * draw()));
  }
}

async function swap() {
  let version = 1;
  while (performance.now() < endsAt - swapMs && worker.isAlive()) {
    version = await models.publishSum(directory, SWAPPED, version + 1);
    if (counts.swaps % 3 === 2) await directory.setServing(SWAPPED, { canary: { version, share: 0.3 } });
    await new Promise((resolve) => setTimeout(resolve, swapMs / 2));
    await directory.setLiveVersion(SWAPPED, version);
    if (counts.swaps % 3 === 2) await directory.setServing(SWAPPED, {});
    counts.swaps += 1;
    await new Promise((resolve) => setTimeout(resolve, swapMs / 2));
    if (version > 3)
      await rm(join(repository.root, SWAPPED, String(version - 3)), { recursive: true, force: true });
    const old = connection;
    connection = new GrpcCaller(worker.address, 2);
    setTimeout(() => old.close(), 5_000);
  }
}

async function sample() {
  while (performance.now() < endsAt && worker.isAlive()) {
    const names = Object.values(GAUGES).map(([name]) => name);
    const read = await worker.metrics(...names).catch(() => null);
    if (read) {
      const gauges = Object.fromEntries(
        Object.entries(GAUGES).map(([name, [, unit]], i) => [name, read[i] / unit]),
      );
      samples.push({
        minute: (performance.now() - startedAt) / 60_000,
        ...gauges,
        threads: await worker.threads(),
      });
      if (samples.length % 12 === 0) console.error(JSON.stringify({ ...samples.at(-1), ...counts }));
    }
    await new Promise((resolve) => setTimeout(resolve, 5_000));
  }
}

await Promise.all([sample(), swap(), ...Array.from({ length: callers }, caller)]);
const isAlive = worker.isAlive();
await client.close();
connection.close();
const exit = isAlive ? await worker.terminate() : ['gone'];
await repository.remove();

const settled = samples.slice(Math.floor(samples.length / 5));
console.log(JSON.stringify(counts));
for (const name of [...Object.keys(GAUGES), 'threads']) {
  const { slope, error } = slopeOf(settled.map((each) => [each.minute, each[name]]));
  const [first, last] = [settled[0]?.[name], settled.at(-1)?.[name]].map((value) => value?.toFixed(1));
  console.log(
    `${name.padEnd(12)} ${slope.toFixed(4).padStart(9)} ± ${error.toFixed(4)} a minute (${first} → ${last})`,
  );
}
console.log(
  `${settled.length} samples over ${minutes} minutes; exit ${exit[0]}; ${wrong.length === 0 ? 'every answer right' : wrong.join('; ')}`,
);
process.exit(isAlive && counts.wrong === 0 && exit[0] === 0 ? 0 : 1);
