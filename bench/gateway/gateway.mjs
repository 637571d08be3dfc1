// CPU of the gateway process for a request, ours beside others, over the same subgraphs and the same drawn operations.
// node bench/gateway/gateway.mjs [--rounds 5] [--requests 400] [--texts 40] [--soak <seconds>]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { cpuMicros, residentBytes } from '../inference/process-cpu.mjs';
import { poster } from './poster.mjs';
import { KIND_NAMES, requests } from './queries.mjs';
import { SUBGRAPHS, supergraphOf } from './shop.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '400' },
    texts: { type: 'string', default: '40' },
    soak: { type: 'string' },
    only: { type: 'string' },
  },
});
const ROUNDS = Number(values.rounds);
const REQUESTS = Number(values.requests);
const TEXTS = Number(values.texts);
const CONCURRENCY = 8;

const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
const children = [];
try {
  const contestants = await startAll();
  await checkEqual(contestants);
  if (values.soak) await soak(contestants, Number(values.soak));
  else report(await measure(contestants));
} finally {
  for (const child of children) child.kill(process.env.PROFILE_TO ? 'SIGTERM' : 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

async function startAll() {
  const urls = JSON.parse((await start('node', [here('subgraphs.mjs')], {}, /^\{.*\}$/)).line);
  const open = join(folder, 'open.graphql');
  const guarded = join(folder, 'protected.graphql');
  writeFileSync(open, supergraphOf(urls));
  writeFileSync(guarded, supergraphOf(urls, '@requiresScopes(scopes: [["bench:read"]])'));
  const { jwks, token } = await anIssuer();
  const ours = (env) =>
    start(
      process.execPath,
      [...profiling(), here('../../gateway/dist/main.js')],
      { PORT: '0', METRICS_PORT: '0', LOG_LEVEL: 'info', ...env },
      /gateway is ready/,
    );
  const secrets = SUBGRAPHS.map((name) => `${name}=secret-of-${name}-0123456789-0123456789`).join(',');
  const started = {
    ours: () => ours({ SUPERGRAPH_PATH: open, SEXTANT_OPEN_ACCESS: 'I-know-this-is-insecure' }),
    'ours, all protections': () =>
      ours({
        SUPERGRAPH_PATH: guarded,
        SEXTANT_JWKS: jwks,
        SEXTANT_AUDIT: 'off',
        SEXTANT_SIGNING_SECRET: 'a-secret-of-the-company-0123456789',
        SUBGRAPH_SECRETS: secrets,
      }),
    '@apollo/gateway': () => start(process.execPath, [here('apollo.mjs'), open], {}, /^http/),
    'Hive runtime': () => start(process.execPath, [here('hive.mjs'), open], {}, /^http/),
  };
  const contestants = [];
  for (const [name, begin] of Object.entries(started)) {
    if (values.only && values.only !== name) continue;
    const { line, pid } = await begin();
    const url = line.startsWith('http') ? line : `http://127.0.0.1:${JSON.parse(line).port}/graphql`;
    const headers = name.includes('protections') ? { authorization: `Bearer ${token}` } : {};
    contestants.push({ name, pid, post: poster(url, headers) });
  }
  return contestants;
}

function profiling() {
  return process.env.PROFILE_TO ? ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE_TO}`] : [];
}

/** Starts a process and waits for the line of its output that tells that it is ready. */
function start(command, args, env, ready) {
  const child = spawn(command, args, {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      ...(process.env.NODE_OPTIONS && { NODE_OPTIONS: process.env.NODE_OPTIONS }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.on('exit', (code) => reject(new Error(`${args.at(-1)} ended with ${code}: ${text.slice(-500)}`)));
    child.stdout.on('data', (chunk) => {
      text = (text + chunk).slice(-20_000);
      const line = text.split('\n').find((each) => ready.test(each));
      if (line) resolve({ line, pid: child.pid });
    });
  });
}

async function anIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwks = join(folder, 'jwks.json');
  writeFileSync(
    jwks,
    JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] }),
  );
  const token = await new SignJWT({ sub: 'bench', tenant: 'bench', roles: ['analyst'], scope: 'bench:read' })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setIssuer('sextant-local')
    .setAudience('sextant')
    .setExpirationTime('2h')
    .sign(privateKey);
  return { jwks, token };
}

/** All contestants must say the same before their cost means anything. */
async function checkEqual(contestants) {
  for (const kind of KIND_NAMES) {
    const draw = requests(kind, { texts: TEXTS, seed: 1 });
    for (let index = 0; index < 5; index += 1) {
      const request = draw();
      const answers = await Promise.all(contestants.map(({ post }) => post(request)));
      const different = answers.findIndex(
        (answer) => !answer.data || answer.errors || !isDeepStrictEqual(answer.data, answers[0].data),
      );
      if (different >= 0)
        throw new Error(
          `${contestants[different].name} answers ${kind} differently: ${JSON.stringify(answers[different]).slice(0, 500)}`,
        );
    }
  }
}

/** Rounds in which each contestant serves the same operations, in turn. */
async function measure(contestants) {
  const results = [];
  for (const kind of KIND_NAMES) {
    for (const { post } of contestants) await load(post, requests(kind, { texts: TEXTS, seed: 7 }), REQUESTS);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { name, pid, post } of rotated(contestants, round)) {
        const before = cpuMicros(pid);
        await load(post, requests(kind, { texts: TEXTS, seed: 7 + round }), REQUESTS);
        results.push({ kind, name, round, micros: (cpuMicros(pid) - before) / REQUESTS });
      }
    }
  }
  return results;
}

async function load(post, draw, count) {
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      const answer = await post(draw());
      if (!answer.data || answer.errors) throw new Error(JSON.stringify(answer).slice(0, 500));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, one));
}

function rotated(list, by) {
  return [...list.slice(by % list.length), ...list.slice(0, by % list.length)];
}

function report(results) {
  const rows = KIND_NAMES.map((kind) => {
    const of = (name) =>
      median(results.filter((each) => each.kind === kind && each.name === name).map(({ micros }) => micros));
    const ratio = (one, other) => (of(one) / of(other)).toFixed(2);
    return {
      kind,
      'ours µs': Math.round(of('ours')),
      'protected µs': Math.round(of('ours, all protections')),
      'apollo µs': Math.round(of('@apollo/gateway')),
      'hive µs': Math.round(of('Hive runtime')),
      'apollo / ours': ratio('@apollo/gateway', 'ours'),
      'apollo / protected': ratio('@apollo/gateway', 'ours, all protections'),
      'protected / hive': ratio('ours, all protections', 'Hive runtime'),
    };
  });
  console.table(rows);
}

function median(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Memory of the protected gateway under load that never repeats: every text is new. */
async function soak(contestants, seconds) {
  const { pid, post } = contestants.find(({ name }) => name.includes('protections'));
  const until = Date.now() + seconds * 1_000;
  let served = 0;
  for (let seed = 1; Date.now() < until; seed += 1) {
    for (const kind of KIND_NAMES) await load(post, requests(kind, { texts: 100, seed: seed * 31 }), 100);
    served += KIND_NAMES.length * 100;
    if (seed % 5 === 0) console.log(`${served} requests: ${(residentBytes(pid) / 2 ** 20).toFixed(0)} MiB`);
  }
}
