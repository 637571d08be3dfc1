import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Role, ROLE_SCOPES } from '@sextant/domain';
import { importJWK, type JWK, SignJWT } from 'jose';

const ROOT = join(import.meta.dirname, '../..');
const PORTS_NEEDED = 11;

/** What `npm start` writes for those who want to talk to it. */
export interface Access {
  graphql: string;
  worker: string;
  metrics: Record<string, string>;
  tokens: Record<Role, string>;
  tenant: string;
  mongodb: string;
  models: string;
}

export interface RunningSextant {
  dataDir: string;
  access: Access;
  output: string;
  /** seconds from the command to the ready line */
  startSeconds: number;
  stop(): Promise<void>;
}

/** Starts the whole product as `npm start` does, on free ports, and waits for its ready line. */
export async function startSextant(
  options: { dataDir?: string; args?: string[]; limitMs?: number } = {},
): Promise<RunningSextant> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'sextant-e2e-')));
  const started = Date.now();
  const child = spawn(
    process.execPath,
    [join(ROOT, 'tools/launcher/dist/main.js'), ...(options.args ?? [])],
    {
      env: {
        ...process.env,
        SEXTANT_DATA_DIR: dataDir,
        SEXTANT_PORT_BASE: String(await freePortRange()),
        NODE_ENV: '',
        SEXTANT_STOP_WITH_PARENT: '1',
        npm_lifecycle_event: '',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output = await untilReady(child, options.limitMs ?? 240_000);
  const access = await readAccess(dataDir);
  return {
    dataDir,
    access,
    output,
    startSeconds: (Date.now() - started) / 1000,
    async stop() {
      await end(child);
      if (!options.dataDir) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export async function readAccess(dataDir: string): Promise<Access> {
  return JSON.parse(await readFile(join(dataDir, 'access.json'), 'utf8')) as Access;
}

/** A token as the local identity provider issues it, for any tenant and role; further claims replace the usual ones. */
export async function issueToken(
  dataDir: string,
  { tenant, role, ...rest }: { tenant: string; role: Role; iss?: string; aud?: string; exp?: number },
): Promise<string> {
  const jwk = JSON.parse(await readFile(join(dataDir, 'keys/jwt-private.json'), 'utf8')) as JWK;
  const usual = { iss: 'sextant-local', aud: 'sextant', exp: Math.floor(Date.now() / 1000) + 3_600 };
  return new SignJWT({ tenant, roles: [role], scope: ROLE_SCOPES[role].join(' '), ...usual, ...rest })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid ?? '' })
    .setSubject(`test-${role}`)
    .setIssuedAt()
    .sign(await importJWK(jwk, 'ES256'));
}

function untilReady(child: ChildProcess, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => {
      child.kill('SIGTERM');
      reject(new Error(`not ready within ${limitMs} ms:\n${output}`));
    }, limitMs);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (!/Sextant is ready after/.test(output)) return;
      clearTimeout(timer);
      resolve(output);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`ended with code ${code} before it was ready:\n${output}`));
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await gone;
}

/** A base with free ports behind it, below the range from which systems take ports for outgoing connections. */
async function freePortRange(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const base = randomInt(12_000, 32_000);
    const busy = await Promise.all(Array.from({ length: PORTS_NEEDED }, (_, i) => answers(base + i)));
    if (!busy.includes(true)) return base;
  }
  throw new Error('no range of free ports was found');
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
