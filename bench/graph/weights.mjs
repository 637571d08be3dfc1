// CPU of what a page may hold, by all processes of the product, beside what the graph says that it costs: the measure behind the
// weights of @cost in the subgraphs' schemas.
//
//   tsc -b && node bench/graph/weights.mjs [--rounds 5] [--customers 2000]
//
// Linux only: CPU times are read from /proc. Every question is about 50 customers; the questions take turns, the median counts.
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMongoServer } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { TENANT } from '../batch/population.mjs';
import { cpuMicros } from '../inference/process-cpu.mjs';
import { foundCompany } from './company.mjs';
import { end, startProduct } from './processes.mjs';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, customers: { type: 'string', default: '2000' } },
});
const PAGE = 50;
const REQUESTS = 60;
const CONCURRENCY = 8;
const BUDGET = 'budgetMs: 5000';
/** What is asked of each customer, and what the question without it is. */
const QUESTIONS = {
  'a customer': { text: 'lifecycle ref' },
  'ten events': { text: 'lifecycle ref events(first: 10) { nodes { id type at } }', less: 'a customer' },
  'a score': { text: `lifecycle ref churnRisk(${BUDGET}) { probability }`, less: 'a customer' },
  'the score explained': {
    text: `lifecycle ref churnRisk(${BUDGET}) { probability explanation(top: 3) { contributions { feature contribution } } }`,
    less: 'a score',
  },
  'a slate of ten': {
    text: `lifecycle ref recommendations(slot: "home", first: 10, ${BUDGET}) { items { rank score } }`,
    less: 'a customer',
  },
  'its ten products': {
    text: `lifecycle ref recommendations(slot: "home", first: 10, ${BUDGET}) { items { rank score product { title } } }`,
    less: 'a slate of ten',
  },
};

const mongo = await startMongoServer();
const uri = mongo.uri.replace('/?', '/bench?');
const folder = await mkdtemp(join(tmpdir(), 'sextant-weights-'));
const store = await new MongoClient(uri).connect();
const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
let product;
try {
  const ids = await foundCompany(store.db(), folder, Number(options.customers));
  product = await startProduct({ folder, uri, tenant: TENANT });
  const measured = Object.fromEntries(Object.keys(QUESTIONS).map((name) => [name, []]));
  const estimated = {};
  for (let round = -1; round < Number(options.rounds); round++) {
    for (const [name, { text }] of Object.entries(QUESTIONS)) {
      const { micros, cost } = await load(text, ids);
      if (round >= 0) measured[name].push(micros);
      estimated[name] = cost;
    }
  }
  say('of one customer           CPU µs    cost    µs a unit');
  for (const [name, { less }] of Object.entries(QUESTIONS)) {
    const micros = (median(measured[name]) - (less ? median(measured[less]) : 0)) / PAGE;
    const cost = (estimated[name] - (less ? estimated[less] : 0)) / PAGE;
    say(
      `${name.padEnd(22)} ${micros.toFixed(0).padStart(9)} ${cost.toFixed(1).padStart(7)} ${(micros / cost).toFixed(1).padStart(12)}`,
    );
  }
} finally {
  if (product) await end(product.children);
  agent.destroy();
  await store.close();
  await mongo.stop();
  await rm(folder, { recursive: true, force: true });
}

/** @returns CPU microseconds of all processes a request, and its estimated cost */
async function load(text, ids) {
  const query = `query Page($ids: [ID!]!) { customersByIds(ids: $ids) { id ${text} } }`;
  const pids = [...Object.values(product.children).map(({ pid }) => pid), mongo.pid];
  const read = () => pids.reduce((sum, pid) => sum + cpuMicros(pid), 0);
  const before = read();
  let next = 0;
  let cost = 0;
  const worker = async () => {
    while (next < REQUESTS) {
      const from = (next++ * PAGE * 7) % (ids.length - PAGE);
      cost = (await ask(query, ids.slice(from, from + PAGE))).extensions.cost.estimated;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return { micros: (read() - before) / REQUESTS, cost };
}

function ask(query, ids) {
  const body = JSON.stringify({ query, variables: { ids } });
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...product.headers,
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(product.url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => {
        const answer = JSON.parse(text);
        if (answer.errors) reject(new Error(text.slice(0, 500)));
        else resolve(answer);
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
