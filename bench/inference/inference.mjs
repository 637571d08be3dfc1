// Server CPU a call of the inference worker beside what a team would otherwise run, alternating on one machine.
//
//   npm run build && node bench/inference/inference.mjs [--servers echo,sextant,sextant-alone,aio,mlserver]
//     [--models mlp,trees,ease] [--loads 1x64,1x256,32x16,256x16] [--rounds 3] [--seconds 4] [--compute 1,32,256] [--json FILE]
//
// A load is rows a call × callers; --compute names rows of single runs beside Python's (empty: none). See README.md for what is measured and how.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from '@sextant/local-services';
import { compareCompute } from './compute.mjs';
import { CONTESTANTS } from './contestants.mjs';
import { load } from './load.mjs';
import { keepMessage, MODELS, prepareModels } from './models.mjs';
import { cpuMicros, residentBytes } from './process-cpu.mjs';
import { barsOf, computeTableOf, tableOf } from './report.mjs';
import { startServer } from './server-process.mjs';
import { findGhz } from './setup.mjs';
import { inferRequest } from './wire.mjs';

const WARM_SECONDS = 1;
const SETTLE_MS = 200;

const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: Object.keys(CONTESTANTS).join() },
    models: { type: 'string', default: Object.keys(MODELS).join() },
    loads: { type: 'string', default: '1x64,1x256,32x16,256x16' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
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
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const server of servers) await measureServer(server, model, round);
  }
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
const tables = [tableOf(samples), barsOf(samples), computed.length > 0 ? computeTableOf(computed) : ''];
process.stdout.write(`${tables.filter(Boolean).join('\n\n')}\n`);

/** One life of one server: started, warmed, and each load in turn. The echo server answers one size only and is started for each. */
async function measureServer(server, model, round) {
  const groups = server === 'echo' ? Map.groupBy(loads, ({ rows }) => rows).values() : [loads];
  for (const group of groups) {
    const port = await freePort();
    const { rows } = group[0];
    const start = await CONTESTANTS[server].start({ model, models, rows, port });
    if (start === null) {
      skipped.add(`${server} (${model})`);
      return say(`${server} cannot serve ${model} here and is left out`);
    }
    const running = await startServer(start, port, inferRequest(MODELS[model], rows)).catch((error) => {
      if (!CONTESTANTS[server].isPeer) throw error;
      return say(`${server} does not start here and is left out: ${error.message}`);
    });
    if (!running) return skipped.add(`${server} (${model})`);
    try {
      for (const each of group)
        samples.push({ server, model, round, ...(await measure(running, port, model, each)) });
    } finally {
      await running.stop();
    }
  }
}

async function measure({ pid }, port, model, { rows, callers }) {
  const messageFile = keepMessage(`${model}-${rows}.request`, inferRequest(MODELS[model], rows));
  const call = { ghz, port, messageFile, callers };
  await load({ ...call, seconds: WARM_SECONDS });
  await pause(SETTLE_MS);
  const before = cpuMicros(pid);
  const { answered, failed, wallSeconds, p50Ms, p99Ms } = await load({ ...call, seconds: values.seconds });
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
