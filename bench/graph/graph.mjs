// CPU of one page: score, three reasons and ten recommendations for 50 customers and for one, by the whole product and by a tuned
// Python server over the same models.
//
//   tsc -b && node bench/graph/graph.mjs --python <python> [--data mongo|memory] [--rounds 6] [--profile <folder>]
//
// The Python needs strawberry-graphql, uvicorn, uvloop, httptools, orjson, lightgbm, numpy and pymongo. Without one only the product
// is measured. Linux only: CPU times are read from /proc.
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMongoServer } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { TENANT } from '../batch/population.mjs';
import { cpuMicros } from '../inference/process-cpu.mjs';
import { foundCompany } from './company.mjs';
import { end, startPeer, startProduct } from './processes.mjs';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string' },
    data: { type: 'string', default: 'mongo' },
    rounds: { type: 'string', default: '6' },
    customers: { type: 'string', default: '5000' },
    concurrency: { type: 'string', default: '8' },
    sizes: { type: 'string', default: '50,1' },
    profile: { type: 'string' },
  },
});
const ROUNDS = Number(options.rounds);
/** Rounds before the first that is measured: a server runs for longer than compilers and caches need. */
const WARM_UPS = 8;
const CONCURRENCY = Number(options.concurrency);
/** @param budget  so that nothing but the models answers, however long requests wait for each other here */
const queryOf = (budget) => `query Page($ids: [ID!]!) { customersByIds(ids: $ids) { id
  churnRisk${budget && `(${budget})`} { probability explanation(top: 3) { contributions { feature value contribution } } }
  recommendations(slot: "home", first: 10${budget && `, ${budget}`}) { items { rank score product { id } } } } }`;
const BUDGET = 'budgetMs: 5000';
const SIZES = options.sizes.split(',').map(Number);
/** Requests of a round. */
const requestsOf = (size) => (size > 1 ? 100 : 600);

const mongo = await startMongoServer();
const uri = mongo.uri.replace('/?', '/bench?');
const folder = await mkdtemp(join(tmpdir(), 'sextant-graph-'));
const store = await new MongoClient(uri).connect();
const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
const contestants = [];
try {
  const ids = await foundCompany(store.db(), folder, Number(options.customers));
  const { profile, python, data } = options;
  contestants.push({
    name: 'Sextant',
    query: queryOf(BUDGET),
    ...(await startProduct({ folder, uri, tenant: TENANT, profile })),
  });
  if (python)
    contestants.push({
      name: `Python (${data})`,
      query: queryOf(''),
      ...(await startPeer({ folder, uri, python, data })),
    });
  say(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`);
  await compareAnswers(ids.slice(0, 50));
  for (const size of SIZES) await compare(ids, size, requestsOf(size));
} finally {
  for (const { children } of contestants) await end(children);
  agent.destroy();
  await store.close();
  await mongo.stop();
  await rm(folder, { recursive: true, force: true });
}

async function compareAnswers(ids) {
  const answers = await Promise.all(contestants.map((each) => ask(each, ids)));
  const pages = answers.map((text) => {
    const { data, errors } = JSON.parse(text);
    if (errors) throw new Error(JSON.stringify(errors).slice(0, 500));
    return data.customersByIds;
  });
  for (const page of pages) {
    if (
      page.length !== 50 ||
      page.some(
        ({ churnRisk, recommendations }) =>
          churnRisk.explanation.contributions.length !== 3 || recommendations.items.length !== 10,
      )
    )
      throw new Error(`not a whole page: ${JSON.stringify(page).slice(0, 500)}`);
  }
  const [ours, theirs] = pages;
  if (!theirs) return;
  const close = ours.filter(
    (each, i) => Math.abs(each.churnRisk.probability - theirs[i].churnRisk.probability) < 1e-3,
  );
  const shown = ({ recommendations }) => recommendations.items.map(({ product }) => product.id).join();
  const same = ours.filter((each, i) => shown(each) === shown(theirs[i]));
  const reasons = ours.filter(
    (each, i) =>
      each.churnRisk.explanation.contributions[0].feature ===
      theirs[i].churnRisk.explanation.contributions[0].feature,
  );
  say(
    `of 50 customers ${close.length} have the same probability (within 1e-3), ${reasons.length} the same first reason, ${same.length} the same ten products`,
  );
}

async function compare(ids, size, requests) {
  for (const each of contestants) {
    for (let i = 0; i < WARM_UPS; i++) await load(each, ids, { size, requests });
    each.costs = [];
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const each of contestants) each.costs.push(await load(each, ids, { size, requests }));
  }
  say(`\n${size} customer${size === 1 ? '' : 's'}, CPU ms a request`);
  const total = (cost) => Object.values(cost).reduce((sum, each) => sum + each, 0);
  for (const { name, costs } of contestants) {
    const parts = Object.keys(costs[0]).map(
      (part) => `${part} ${median(costs.map((cost) => cost[part])).toFixed(2)}`,
    );
    say(`  ${name.padEnd(16)} ${median(costs.map(total)).toFixed(2).padStart(7)}   ${parts.join(', ')}`);
  }
  const [ours, theirs] = contestants;
  if (theirs)
    say(`  ratio ${median(ours.costs.map((cost, i) => total(cost) / total(theirs.costs[i]))).toFixed(3)}`);
}

/** @returns CPU of each process a request, in milliseconds; mongod's is what it used meanwhile */
async function load(contestant, ids, { size, requests }) {
  const pids = {
    ...Object.fromEntries(Object.entries(contestant.children).map(([name, { pid }]) => [name, pid])),
    mongod: mongo.pid,
  };
  agent.destroy(); // what was kept from the last round may be closed by now
  const read = () => Object.entries(pids).map(([name, pid]) => [name, cpuMicros(pid)]);
  const before = read();
  let next = 0;
  const worker = async () => {
    while (next < requests) {
      const from = (next++ * size * 7) % (ids.length - size);
      await ask(contestant, ids.slice(from, from + size));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return Object.fromEntries(
    read().map(([name, micros], i) => [name, (micros - before[i][1]) / 1_000 / requests]),
  );
}

function ask({ url, headers, query }, ids) {
  const body = JSON.stringify({ query, variables: { ids } });
  const all = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method: 'POST', agent, headers: all }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () =>
        response.statusCode === 200 && !/"errors"|"explanation":null/.test(text)
          ? resolve(text)
          : reject(new Error(text.slice(0, 500))),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
