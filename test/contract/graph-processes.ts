import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Identity, type Role, ROLE_SCOPES } from '@sextant/domain';
import { freePort } from '@sextant/local-services';
import { startTestMongo } from '@sextant/testing';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';

export const ROOT = join(import.meta.dirname, '../..');
export const SECRET = 'a secret of thirty-two characters';
export const AUDIT_SECRET = 'what links the log has forty letters or so';
const SUBGRAPHS = ['customer', 'campaign', 'prediction'] as const;
export type SubgraphName = (typeof SUBGRAPHS)[number];
const START_LIMIT_MS = 60_000;

export interface RunningGraph {
  /** of the gateway's /graphql */
  url: string;
  /** of each subgraph's /graphql */
  subgraphs: Readonly<Record<string, string>>;
  tokenOf(role: Role, tenant?: string): Promise<string>;
  /** as the claims say, which are right where they say nothing */
  tokenWith(claims: Record<string, unknown>): Promise<string>;
  /** HS256, with the text of the public key as the secret */
  tokenSignedWithPublicKey(): Promise<string>;
  /** as SEXTANT_DATA_DIR of the command line: holds the key that tokens are signed with */
  dataDir: string;
  /** of the store that all of them share */
  mongoUri: string;
  /** of each process, by its name */
  metrics: Readonly<Record<string, string>>;
  /** SIGKILL, without a warning. */
  killSubgraph(name: SubgraphName): void;
  /** Starts a killed one anew, on the same port. */
  reviveSubgraph(name: SubgraphName): Promise<void>;
  /** The gateway ends and starts anew, with further variables. */
  restartGateway(env: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The built subgraphs and gateway as processes over an empty store, without a worker unless one is wanted: enough to see who may
 * ask what. A worker serves no model.
 *
 * @param options.env  further variables of every process
 */
export async function startGraph(
  options: { env?: Record<string, string>; withWorker?: boolean } = {},
): Promise<RunningGraph> {
  const mongo = await startTestMongo();
  const folder = await mkdtemp(join(tmpdir(), 'sextant-contract-'));
  const issuer = await anIssuer();
  await writeFile(join(folder, 'jwks.json'), JSON.stringify({ keys: [issuer.publicJwk] }));
  await mkdir(join(folder, 'keys'));
  await writeFile(join(folder, 'keys/jwt-private.json'), JSON.stringify(issuer.privateJwk));
  const ports = await Promise.all(Array.from({ length: 2 * SUBGRAPHS.length + 4 }, () => freePort()));
  const portAt = (i: number): number => ports[i] ?? 0;
  const metricsAt = (i: number): string => `http://127.0.0.1:${portAt(i)}/metrics`;
  const urls = Object.fromEntries(
    SUBGRAPHS.map((name, i) => [name, `http://127.0.0.1:${portAt(i)}/graphql`]),
  );
  const env = {
    ...{
      SEXTANT_SIGNING_SECRET: SECRET,
      SEXTANT_AUDIT_SECRET: AUDIT_SECRET,
      MONGODB_URI: mongo.uri,
      SEXTANT_JWKS: join(folder, 'jwks.json'),
      LOG_LEVEL: 'error',
    },
    ...{ CUSTOMER_URL: urls['customer'], CAMPAIGN_URL: urls['campaign'], PREDICTION_URL: urls['prediction'] },
    INFERENCE_URL: `127.0.0.1:${portAt(8)}`,
    ...options.env,
  };
  const startSubgraph = (name: SubgraphName) => {
    const i = SUBGRAPHS.indexOf(name);
    return startProcess(`subgraphs/${name}`, { ...env, PORT: portAt(i), METRICS_PORT: portAt(i + 3) });
  };
  const subgraphs = {
    ...{ customer: startSubgraph('customer'), campaign: startSubgraph('campaign') },
    prediction: startSubgraph('prediction'),
  };
  const children = Object.values(subgraphs);
  const startGateway = (further: Record<string, string>) =>
    startProcess('gateway', { ...env, ...further, PORT: portAt(6), METRICS_PORT: portAt(7) });
  const gateway = { ...startGateway({}) };
  children.push(gateway);
  if (options.withWorker) {
    const worker = { MODEL_REPOSITORY: folder, PORT: portAt(8), METRICS_PORT: portAt(9) };
    children.push(startProcess('inference-worker', { ...env, ...worker }));
  }
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(({ child }) => endProcess(child)));
    await mongo.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const ready = (): Promise<void> =>
    Promise.race([
      untilReady(`http://127.0.0.1:${portAt(7)}/health/ready`),
      ...children.map(({ failed }) => failed),
    ]);
  await ready().catch((error: unknown) => stop().then(() => Promise.reject(error)));
  return {
    ...{
      url: `http://127.0.0.1:${portAt(6)}/graphql`,
      subgraphs: urls,
      dataDir: folder,
      mongoUri: mongo.uri,
    },
    metrics: {
      gateway: metricsAt(7),
      customer: metricsAt(3),
      campaign: metricsAt(4),
      prediction: metricsAt(5),
    },
    tokenOf: issuer.tokenOf,
    tokenWith: issuer.tokenWith,
    tokenSignedWithPublicKey: issuer.tokenSignedWithPublicKey,
    killSubgraph: (name) => void subgraphs[name].child.kill('SIGKILL'),
    async reviveSubgraph(name) {
      Object.assign(subgraphs[name], startSubgraph(name));
      await untilReady(`http://127.0.0.1:${portAt(SUBGRAPHS.indexOf(name) + 3)}/health/ready`);
    },
    async restartGateway(further) {
      await endProcess(gateway.child);
      Object.assign(gateway, startGateway(further));
      await ready();
    },
    stop,
  };
}

/** Keys, and tokens of a role signed with them. */
export async function anIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const token = (claims: Record<string, unknown>, alg = 'ES256') =>
    new SignJWT({
      ...{ tenant: 'demo', sub: 'test', iss: 'sextant-local', aud: 'sextant' },
      exp: Math.floor(Date.now() / 1_000) + 3_600,
      ...claims,
    }).setProtectedHeader({ alg, kid: 'test' });
  return {
    publicJwk: { ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES256' },
    privateJwk: { ...(await exportJWK(privateKey)), kid: 'test', alg: 'ES256' },
    tokenWith: (claims: Record<string, unknown>): Promise<string> => token(claims).sign(privateKey),
    tokenOf: (role: Role, tenant = 'demo'): Promise<string> =>
      token({ tenant, sub: `test-${role}`, roles: [role], scope: ROLE_SCOPES[role].join(' ') }).sign(
        privateKey,
      ),
    tokenSignedWithPublicKey: async (): Promise<string> =>
      token({ roles: ['operator'], scope: ROLE_SCOPES.operator.join(' ') }, 'HS256').sign(
        new TextEncoder().encode(await exportSPKI(publicKey)),
      ),
  };
}

/** The identity that the gateway makes of such a token. */
export function identityOf(role: Role, tenantId = 'demo'): Identity {
  return { subject: `test-${role}`, tenantId, roles: [role], scopes: ROLE_SCOPES[role] };
}

/** A built application as a process; `failed` rejects when it ends by itself. Its log goes to the file TEST_LOG of `env`, else to ours. */
export function startProcess(
  folder: string,
  env: Record<string, string | number | undefined>,
): { child: ChildProcess; failed: Promise<never> } {
  const variables = Object.entries(env).map(([name, value]) => [name, String(value)]);
  const child = spawn(process.execPath, [join(ROOT, folder, 'dist/main.js')], {
    env: { ...process.env, ...Object.fromEntries(variables) },
    stdio: ['ignore', env['TEST_LOG'] ? openSync(String(env['TEST_LOG']), 'a') : 'inherit', 'pipe'],
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const failed = new Promise<never>((_, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`${folder} ended with ${code} (built? npm run build):\n${complaint}`)),
    );
  });
  failed.catch(() => undefined);
  return { child, failed };
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(force);
}

export async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const ready = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    if (Date.now() > deadline) throw new Error(`${url} was not ready within ${START_LIMIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
