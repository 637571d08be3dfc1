// Server CPU a call of the inference worker beside what a team would otherwise run, alternating on one machine.
//
//   npm run build && node bench/inference/inference.mjs [--servers echo,sextant,sextant-alone,aio,mlserver]
//     [--models mlp,trees,ease] [--loads 1x64,1x256,32x16,256x16] [--rounds 7] [--seconds 1.5] [--compute 1,32,256] [--json FILE]
//
// A load is rows a call × callers; --compute names rows of single runs beside Python's (empty: none). See README.md for what is measured and how.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { freePort } from '@sextant/local-services';
import { compareCompute } from './compute.mjs';
import { CONTESTANTS } from './contestants.mjs';
import { load } from './load.mjs';
import { keepMessage, MODELS, prepareModels } from './models.mjs';
import { cpuMicros, residentBytes } from './process-cpu.mjs';
import { barsOf, computeTableOf, sizingTableOf, tableOf } from './report.mjs';
import { startServer } from './server-process.mjs';
import { findGhz } from './setup.mjs';
import { inferRequest } from './wire.mjs';

/** A first round that is not counted: compilers of all servers have done their work by then. */
const WARM_SECONDS = 4;

const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: Object.keys(CONTESTANTS).join() },
    models: { type: 'string', default: Object.keys(MODELS).join() },
    loads: { type: 'string', default: '1x64,1x256,32x16,256x16' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1.5' },
    compute: { type: 'string', default: '1,32,256' },
    json: { type: 'string' },
  },
});
const servers = known(values.servers, CONTESTANTS);
const loads = values.loads.split(',').map((text) => {
  const [rows, callers] = text.split('x').map(Number);
  if (!(rows > 0 && callers > 0)) throw new Error(`--loads ${text}: wanted ROWSxCALLERS, e.g. 1x64`);
  return { rows, callers };
});

const models = await prepareModels();
const ghz = findGhz();
const samples = [];
const computed = [];
const skipped = new Set();
for (const model of known(values.models, MODELS)) {
  if (models.onnx[model] === null) {
    say(`${model}: skipped, LightGBM cannot be loaded here (LIGHTGBM_LIBRARY names it)`);
    continue;
  }
  await measureModel(model);
  const results = values.compute
    ? await compareCompute(model, models.onnx[model], values.compute.split(',').map(Number))
    : [];
  if (results === null) skipped.add(`runs of Python (${model})`);
  computed.push(...(results ?? []));
}

const report = {
  machine: {
    cpu: cpus()[0]?.model.trim(),
    cores: cpus().length,
    loadAverage: loadavg(),
    node: process.version,
  },
  generator: ghz === null ? 'load-generator.mjs' : 'ghz',
  skipped: [...skipped],
  samples,
  computed,
};
if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
const tables = [
  tableOf(samples),
  barsOf(samples),
  computed.length > 0 ? computeTableOf(computed) : '',
  sizingTableOf(samples),
];
process.stdout.write(`${tables.filter(Boolean).join('\n\n')}\n`);

/** All servers live at once and are loaded in turn; the others wait without work. */
async function measureModel(model) {
  const running = [];
  try {
    for (const server of servers) running.push(await start(server, model));
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const each of loads) {
        for (const one of running.filter(Boolean)) {
          const sample = await measure(one, model, {
            ...each,
            seconds: round === 0 ? WARM_SECONDS : values.seconds,
          });
          if (round > 0) samples.push({ server: one.server, model, round, ...sample });
        }
      }
    }
  } finally {
    await Promise.all(running.map((each) => each?.stop()));
  }
}

/** @returns null where a peer cannot be had or does not start */
async function start(server, model) {
  const port = await freePort();
  const rowCounts = [...new Set(loads.map(({ rows }) => rows))];
  const leaveOut = (why) => {
    skipped.add(`${server} (${model})`);
    say(`${server} is left out for ${model}: ${why}`);
    return null;
  };
  const command = await CONTESTANTS[server].start({ model, models, rowCounts, port });
  if (command === null) return leaveOut('it cannot be had here');
  try {
    const running = await startServer(command, port, inferRequest(MODELS[model], rowCounts[0]));
    return { server, port, ...running };
  } catch (error) {
    if (!CONTESTANTS[server].isPeer) throw error;
    return leaveOut(error.message);
  }
}

async function measure({ pid, port }, model, { rows, callers, seconds }) {
  const messageFile = keepMessage(`${model}-${rows}.request`, inferRequest(MODELS[model], rows));
  const before = cpuMicros(pid);
  const call = { ghz, port, messageFile, callers, seconds };
  const { answered, failed, wallSeconds, p50Ms, p99Ms } = await load(call);
  const cpuUs = (cpuMicros(pid) - before) / Math.max(answered, 1);
  const sample = { rows, callers, cpuUs, callsPerSecond: answered / wallSeconds, p50Ms, p99Ms, failed };
  return { ...sample, residentMb: residentBytes(pid) / 2 ** 20 };
}

function known(text, table) {
  const names = text.split(',');
  const unknown = names.find((name) => !(name in table));
  if (unknown !== undefined)
    throw new Error(`"${unknown}" is unknown; there are ${Object.keys(table).join(', ')}`);
  return names;
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
