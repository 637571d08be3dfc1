import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Role, ROLE_SCOPES } from '@sextant/domain';
import { importJWK, type JWK, SignJWT } from 'jose';

const ROOT = join(import.meta.dirname, '../..');
const PORTS_NEEDED = 12;
const POLL_MS = 50;
const READY = /Sextant is ready after/;
/** What is said when nothing is trained in the background any more. */
export const ALL_LEARNT = /^The rest is learnt: /m;

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

/** Starts the whole product as `npm start` does, on free ports, and waits for its ready line, or for a later one. */
export async function startSextant(
  options: { dataDir?: string; args?: string[]; limitMs?: number; until?: RegExp } = {},
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
  const heard = listenTo(child, options.limitMs ?? 240_000);
  await heard.until(READY);
  const startSeconds = (Date.now() - started) / 1000;
  const output = await heard.until(options.until ?? READY);
  heard.stop();
  const access = await readAccess(dataDir);
  return {
    dataDir,
    access,
    output,
    startSeconds,
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
  {
    tenant,
    role,
    ...rest
  }: { tenant: string; role: Role; scope?: string; iss?: string; aud?: string; exp?: number },
): Promise<string> {
  const jwk = JSON.parse(await readFile(join(dataDir, 'keys/jwt-private.json'), 'utf8')) as JWK;
  const usual = { iss: 'sextant-local', aud: 'sextant', exp: Math.floor(Date.now() / 1000) + 3_600 };
  return new SignJWT({ tenant, roles: [role], scope: ROLE_SCOPES[role].join(' '), ...usual, ...rest })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid ?? '' })
    .setSubject(`test-${role}`)
    .setIssuedAt()
    .sign(await importJWK(jwk, 'ES256'));
}

/** What the child says, and how to wait for a line of it; the child is ended where `stop` does not come within the limit. */
function listenTo(child: ChildProcess, limitMs: number) {
  let output = '';
  let failure: Error | null = null;
  const fail = (message: string): void => void (failure ??= new Error(`${message}:\n${output}`));
  const timer = setTimeout(() => {
    child.kill('SIGTERM');
    fail(`not ready within ${limitMs} ms`);
  }, limitMs);
  const read = (chunk: Buffer): void => void (output += chunk.toString());
  child.stdout?.on('data', read);
  child.stderr?.on('data', read);
  child.once('exit', (code) => fail(`ended with code ${code} before it was ready`));
  return {
    async until(line: RegExp): Promise<string> {
      while (!line.test(output)) {
        if (failure) throw failure;
        await sleep(POLL_MS);
      }
      return output;
    },
    stop: () => clearTimeout(timer),
  };
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
