// The public federation-gateway-audit against the product: each of its suites is a supergraph, which the gateway is started over as an
// operator starts it, and a list of queries with the answers that a right gateway gives.
//
// The audit is not on npm and is not part of this repository. To run it:
//   git clone https://github.com/graphql-hive/federation-gateway-audit <folder>   (commit f59c05e and later have 199 cases)
//   (cd <folder> && npm install)
//   npm run build && node test/conformance/federation-audit.mjs <folder> [suite]
//
// Exit 0 when at least 198 of 199 pass (MINIMUM), else 1.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';

/* global fetch */

const MINIMUM = 0.99;
const AUDIT_PORT = 4_200;
const AUDIT = `http://localhost:${AUDIT_PORT}`;
const GATEWAY = fileURLToPath(new URL('../../gateway/dist/main.js', import.meta.url));

const { positionals } = parseArgs({ allowPositionals: true });
const [folder, only] = positionals;
if (!folder) {
  process.stderr.write('usage: node test/conformance/federation-audit.mjs <folder of the audit> [suite]\n');
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'federation-audit-'));
const audit = await startAudit(resolve(folder));
let failed = 0;
let total = 0;
try {
  const suites = (await json(`${AUDIT}/ids`)).filter((id) => !only || id === only);
  for (const suite of suites) {
    const verdicts = await runSuite(suite);
    process.stdout.write(`${suite} ${verdicts.map((isRight) => (isRight ? '.' : 'X')).join('')}\n`);
    total += verdicts.length;
    failed += verdicts.filter((isRight) => !isRight).length;
  }
} finally {
  audit.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
}
process.stdout.write(`${total - failed} of ${total}\n`);
process.exit(total > 0 && (total - failed) / total >= MINIMUM ? 0 : 1);

async function startAudit(cwd) {
  const script = `import('./src/index.ts').then(({ serve }) => serve(${AUDIT_PORT}))`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--eval', script], { cwd, stdio: 'inherit' });
  await until(() => fetch(`${AUDIT}/_health`).then(({ ok }) => ok), child, 60_000);
  return child;
}

async function runSuite(suite) {
  const supergraph = join(scratch, `${suite}.graphql`);
  writeFileSync(supergraph, await (await fetch(`${AUDIT}/${suite}/supergraph`)).text());
  const gateway = await startGateway(supergraph);
  try {
    const verdicts = [];
    for (const { query, expected } of await json(`${AUDIT}/${suite}/tests`)) {
      const received = await json(gateway.url, { query });
      const isRight = isAnswerRight(received, expected);
      if (!isRight)
        process.stdout.write(
          `${query}\n  got      ${JSON.stringify(received)}\n  expected ${JSON.stringify(expected)}\n`,
        );
      verdicts.push(isRight);
    }
    return verdicts;
  } finally {
    gateway.stop();
  }
}

/** As the audit judges: data must be equal, and errors be there or not where the case says so. */
function isAnswerRight({ data = null, errors = [] }, expected) {
  const isJudged = typeof expected.errors === 'boolean';
  const areErrorsRight = isJudged ? errors.length > 0 === expected.errors : true;
  return areErrorsRight && isDeepStrictEqual(data, expected.data ?? null);
}

async function startGateway(supergraph) {
  const child = spawn(process.execPath, [GATEWAY], {
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      METRICS_PORT: '0',
      SUPERGRAPH_PATH: supergraph,
      SEXTANT_OPEN_ACCESS: 'I-know-this-is-insecure',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.on('data', (chunk) => (log += chunk));
  const ready = () => log.split('\n').find((line) => line.includes('gateway is ready'));
  await until(async () => ready() !== undefined, child, 30_000);
  return {
    url: `http://127.0.0.1:${JSON.parse(ready()).port}/graphql`,
    stop: () => child.kill('SIGKILL'),
  };
}

async function until(isDone, child, withinMs) {
  const endMs = Date.now() + withinMs;
  while (!(await isDone().catch(() => false))) {
    if (child.exitCode !== null || Date.now() > endMs)
      throw new Error(`${child.spawnargs.join(' ')} did not start`);
    await new Promise((next) => setTimeout(next, 50));
  }
}

async function json(url, body) {
  const response = await fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return response.json();
}
