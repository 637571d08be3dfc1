// CPU of `_entities` for 50 representations × 3 fields, beside bare Apollo subgraphs with the same schema and loader.
//
//   tsc -b && node bench/subgraph/subgraph.mjs [--rounds 8] [--requests 1500] [--concurrency 8] [--profile <folder>]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { parseArgs } from 'node:util';
import { signRequest } from '@sextant/platform';
import { bodies, QUERIES } from './fixture.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '8' },
    requests: { type: 'string', default: '1500' },
    concurrency: { type: 'string', default: '8' },
    profile: { type: 'string' },
  },
});
const [ROUNDS, REQUESTS, CONCURRENCY] = [values.rounds, values.requests, values.concurrency].map(Number);
const SECRET = 'a secret of thirty-two characters';
const IDENTITY = { subject: 'bench', tenantId: 'demo', roles: ['web'], scopes: ['catalogue:read'] };
const here = (file) => new URL(file, import.meta.url);

const contestants = [
  { name: 'Apollo standalone', script: 'bare.mjs', args: ['standalone'] },
  { name: 'Apollo on express', script: 'bare.mjs', args: ['express'] },
  { name: 'Apollo on express, signature checked', script: 'bare.mjs', args: ['signed'] },
  { name: 'our subgraph', script: 'ours.mjs', args: [] },
];
const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });

try {
  for (const each of contestants) await start(each);
  for (const [name, query] of Object.entries(QUERIES)) await compare(name, bodies(query, 200));
} finally {
  for (const { child } of contestants) child?.kill('SIGTERM');
  agent.destroy();
}

async function start(contestant) {
  const env = {
    ...process.env,
    ...{
      PORT: '0',
      METRICS_PORT: '0',
      LOG_LEVEL: 'warn',
      NODE_ENV: 'production',
      SEXTANT_SIGNING_SECRET: SECRET,
    },
  };
  const execArgv = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : [];
  contestant.child = fork(here(contestant.script), contestant.args, { env, execArgv });
  contestant.url = new URL((await once(contestant.child, 'message'))[0].url);
}

async function compare(name, requests) {
  const answers = await Promise.all(contestants.map(({ url }) => ask(url, requests[0])));
  if (new Set(answers).size !== 1) throw new Error(`the answers differ:\n${answers.join('\n')}`);
  for (const each of contestants) {
    await load(each, requests, REQUESTS);
    each.costs = [];
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const each of contestants) each.costs.push(await load(each, requests, REQUESTS));
  }
  process.stdout.write(`\n50 entities, ${name}\n`);
  const [bare] = contestants;
  for (const { name: who, costs } of contestants) {
    const ratio = median(costs.map((cost, round) => cost / bare.costs[round]));
    process.stdout.write(
      `  ${who.padEnd(38)} ${median(costs).toFixed(0).padStart(5)} µs a request  ${ratio.toFixed(2)} ×\n`,
    );
  }
}

/** @returns CPU of the process a request, in microseconds */
async function load({ child, url }, requests, count) {
  const before = await cpuOf(child);
  let next = 0;
  const worker = async () => {
    while (next < count) await ask(url, requests[next++ % requests.length]);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return ((await cpuOf(child)) - before) / count;
}

async function cpuOf(child) {
  const answered = once(child, 'message');
  child.send('cpu');
  return (await answered)[0].cpu;
}

function ask(url, body) {
  const signed = signRequest({ receiver: 'bench', method: 'POST', path: '/graphql', body }, IDENTITY, {
    secret: SECRET,
    nowMs: Date.now(),
  });
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...signed,
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text.trim()) : reject(new Error(text)),
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
