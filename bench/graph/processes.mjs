// All processes of the product on free ports, as `npm start` runs them, and the Python server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { ROLE_SCOPES } from '@sextant/domain';
import { freePort } from '@sextant/local-services';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const ROOT = join(import.meta.dirname, '../..');
const START_LIMIT_MS = 60_000;
/** As the images and `npm start` have them. */
const NODE_FLAGS = ['--max-semi-space-size=64'];

/** @returns how to ask, and the processes by name */
export async function startProduct({ folder, uri, tenant, profile }) {
  const token = await issueToken(folder, tenant);
  const ports = Object.fromEntries(
    await Promise.all(
      ['gateway', 'customer', 'campaign', 'prediction', 'worker'].map(async (name) => [
        name,
        await freePort(),
      ]),
    ),
  );
  const url = (name) => `http://127.0.0.1:${ports[name]}/graphql`;
  const shared = {
    ...{
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      MONGODB_URI: uri,
      MODEL_REPOSITORY: join(folder, 'models'),
    },
    ...{
      SEXTANT_AUDIT_SECRET: 'what links the log has forty letters or so',
      SEXTANT_SIGNING_SECRET: 'a secret of thirty-two characters',
      SEXTANT_JWKS: join(folder, 'jwks.json'),
    },
    ...{ CUSTOMER_URL: url('customer'), CAMPAIGN_URL: url('campaign'), PREDICTION_URL: url('prediction') },
    ...{ FEATURE_TIMEOUT_MS: '10000' }, // on a loaded machine, too, nothing but the models answers
    ...{ INFERENCE_URL: `127.0.0.1:${ports.worker}`, SEXTANT_PORT_BASE: '' },
  };
  const scripts = {
    ...{ worker: 'inference-worker', customer: 'subgraphs/customer', campaign: 'subgraphs/campaign' },
    ...{ prediction: 'subgraphs/prediction', gateway: 'gateway' },
  };
  const children = {};
  for (const [name, script] of Object.entries(scripts)) {
    const metrics = await freePort();
    const profiled = profile ? ['--cpu-prof', `--cpu-prof-dir=${join(profile, name)}`] : [];
    children[name] = spawn(
      process.execPath,
      [...NODE_FLAGS, ...profiled, join(ROOT, script, 'dist/main.js')],
      {
        env: { ...process.env, ...shared, PORT: ports[name], METRICS_PORT: metrics },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    await ready(`http://127.0.0.1:${metrics}/health/ready`, name).catch((error) =>
      end(children).then(() => Promise.reject(error)),
    );
  }
  return { url: new URL(url('gateway')), headers: { authorization: `Bearer ${token}` }, children };
}

export async function startPeer({ folder, uri, python, data }) {
  const port = await freePort();
  const child = spawn(
    python,
    [join(import.meta.dirname, 'peer/server.py'), String(port), join(folder, 'peer'), uri, data],
    {
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const url = new URL(`http://127.0.0.1:${port}/graphql`);
  const children = { server: child };
  const asked = ready(`${url}?query=%7B__typename%7D`, 'the Python server', {
    'content-type': 'application/json',
  });
  await asked.catch((error) => end(children).then(() => Promise.reject(error)));
  return { url, headers: {}, children };
}

export async function end(children) {
  for (const child of Object.values(children).reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
}

async function ready(url, name, headers = {}) {
  for (const limit = performance.now() + START_LIMIT_MS; performance.now() < limit; await pause(50)) {
    const answer = await globalThis.fetch(url, { headers }).catch(() => null);
    if (answer?.ok) return;
  }
  throw new Error(`${name} was not ready in time`);
}

async function issueToken(folder, tenant) {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256' }];
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys }));
  return new SignJWT({ tenant, roles: ['analyst'], scope: ROLE_SCOPES.analyst.join(' ') })
    .setProtectedHeader({ alg: 'ES256', kid: 'bench' })
    .setSubject('bench')
    .setIssuer('sextant-local')
    .setAudience('sextant')
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(privateKey);
}
