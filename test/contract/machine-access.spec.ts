import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, askOk, until } from '../support/graph.js';
import { AUDIT_SECRET, ROOT, type RunningGraph, startGraph } from './graph-processes.js';

const run = promisify(execFile);
const CLI = join(ROOT, 'tools/cli/dist/main.js');
const QUERY = '{ products(first: 1) { nodes { id } } }';

let graph: RunningGraph;
let client: MongoClient;
beforeAll(async () => {
  graph = await startGraph();
  client = await new MongoClient(graph.mongoUri).connect();
});
afterAll(async () => {
  await client?.close();
  await graph?.stop();
});

/** The command line of an operator of the tenant. */
async function sextant(...args: string[]): Promise<{ code: number; out: string }> {
  const env = {
    ...process.env,
    SEXTANT_DATA_DIR: graph.dataDir,
    SEXTANT_AUDIT_SECRET: AUDIT_SECRET,
    MONGODB_URI: graph.mongoUri,
  };
  try {
    return { code: 0, out: (await run(process.execPath, [CLI, ...args], { env })).stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: `${stdout}${stderr}` };
  }
}

const key = (...args: string[]) => sextant('key', ...args, '--url', graph.url, '--tenant', 'demo');

async function statusWith(headers: Record<string, string>): Promise<number> {
  const response = await fetch(graph.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: QUERY }),
  });
  await response.text();
  return response.status;
}

describe('an access key', () => {
  it('opens what its role opens from its creation on, in either header, and nothing else', async () => {
    const secret = (await key('create', '--label', 'crm', '--role', 'web')).out.trim();
    expect(secret).toMatch(/^sxk_demo_/);
    expect(await statusWith({ authorization: `Bearer ${secret}` })).toBe(200);
    expect(await statusWith({ 'x-api-key': secret })).toBe(200);
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
    expect(await statusWith({ 'x-api-key': wrong })).toBe(401);
    const closed = await ask(graph.url, secret, 'mutation { trainModel(input: { task: "lead" }) { id } }');
    expect([closed.status, closed.errors[0]?.extensions?.code]).toEqual([403, 'FORBIDDEN']);
    const { out } = await key('list');
    expect(out).toContain('crm');
    expect(out).not.toContain(secret.slice(-43));
  });

  it('is refused at most five seconds after its revocation', async () => {
    const secret = (await key('create', '--label', 'short', '--role', 'web')).out.trim();
    expect(await statusWith({ 'x-api-key': secret })).toBe(200);
    expect((await key('revoke', secret.split('_')[2] ?? '')).code).toBe(0);
    const revokedAt = Date.now();
    await until('the refusal', 10_000, async () => (await statusWith({ 'x-api-key': secret })) === 401);
    expect(Date.now() - revokedAt).toBeLessThan(6_000);
  });

  it('cannot be given more than its creator has, and the command says why', async () => {
    const { code, out } = await key('create', '--label', 'x', '--role', 'web', '--scope', 'nothing:read');
    expect([code, out]).toEqual([2, expect.stringContaining('which is no scope')]);
  });
});

describe('the audit log', () => {
  const LOG = `{ auditLog(first: 200) { nodes { seq subject clientId operation outcome codes fields { name ids } } } }`;

  interface Log {
    auditLog: { nodes: { subject: string; operation: string; outcome: string; codes: string[] }[] };
  }

  it('tells who created and revoked keys, and who was refused, and holds', async () => {
    const operator = await graph.tokenOf('operator');
    await ask(
      graph.url,
      await graph.tokenOf('web'),
      'mutation Steal { trainModel(input: { task: "lead" }) { id } }',
    );
    const { nodes } = await until('all outcomes', 10_000, async () => {
      const { auditLog } = await askOk<Log>(graph.url, operator, LOG);
      const isThere = auditLog.nodes.some(({ operation }) => operation === 'Steal');
      return isThere && auditLog.nodes.every(({ outcome }) => outcome !== 'UNKNOWN') && auditLog;
    });
    expect(nodes[0]).toMatchObject({
      subject: 'test-web',
      operation: 'Steal',
      outcome: 'REFUSED',
      codes: ['FORBIDDEN'],
    });
    const created = nodes.filter(({ operation }) => operation === 'CreateAccessKey');
    expect(created.map(({ subject, outcome }) => [subject, outcome])).toContainEqual([
      'local-operator',
      'OK',
    ]);
    expect(created.map(({ codes }) => codes)).toContainEqual(['INVALID_INPUT']);
    expect(nodes.find(({ operation }) => operation === 'RevokeAccessKey')).toMatchObject({ outcome: 'OK' });
    const { code, out } = await sextant('audit', 'verify');
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^demo: all \d+ entries hold; head \d+:[0-9a-f]{64}$/m),
    ]);
  });

  it('is for operators and privacy officers', async () => {
    for (const role of ['web', 'analyst', 'marketer'] as const) {
      const { data, errors } = await ask(graph.url, await graph.tokenOf(role), LOG);
      expect([data, errors[0]?.extensions?.code]).toEqual([{ auditLog: null }, 'FORBIDDEN']);
    }
    expect((await ask(graph.url, await graph.tokenOf('privacy'), LOG)).errors).toEqual([]);
  });

  it('names the first entry that was touched, with exit code 1', async () => {
    const entries = client.db().collection('audit_log');
    const third = await entries.findOne({ tenantId: 'demo', seq: 3 });
    await entries.updateOne({ tenantId: 'demo', seq: 3 }, { $set: { 'what.subject': 'nobody' } });
    const changed = await sextant('audit', 'verify');
    expect([changed.code, changed.out]).toEqual([1, expect.stringContaining('demo: entry 3 does not hold')]);
    if (third) await entries.replaceOne({ tenantId: 'demo', seq: 3 }, third);
    const { out } = await sextant('audit', 'verify', '--tenant', 'demo');
    const head = /head (\S+)/.exec(out)?.[1] ?? '';
    const last = Number(head.split(':')[0]);
    await entries.deleteOne({ tenantId: 'demo', seq: last });
    await client.db().collection('audit_anchors').deleteMany({});
    const cut = await sextant('audit', 'verify', '--tenant', 'demo', '--expect', head);
    expect([cut.code, cut.out]).toEqual([1, expect.stringContaining(`entry ${last} does not hold`)]);
  });
});
