import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, exportJWK, generateKeyPair } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exitCodeOf } from '../exit-code.js';
import { RecordingGateway } from '../graph/recording-gateway.fixture.js';
import { importCommand } from './import.command.js';
import type { ImportSummary } from './import-summary.js';

let root: string;
let gateway: RecordingGateway;
let url: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'command-'));
  gateway = new RecordingGateway();
  url = await gateway.listen();
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  mkdirSync(join(root, 'keys'));
  writeFileSync(
    join(root, 'keys', 'jwt-private.json'),
    JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'k' }),
  );
  writeFileSync(
    join(root, 'access.json'),
    JSON.stringify({ graphql: url, tokens: { operator: 'demo-operator' } }),
  );
  writeFileSync(
    join(root, 'events.ndjson'),
    '{"id":"1","type":"x","at":"2020-01-01T00:00:00Z"}\n{"id":"2"}\n',
  );
});
afterEach(async () => {
  rmSync(root, { recursive: true });
  await gateway.close();
});

/** Runs the command as main does. */
async function run(...args: string[]): Promise<{ code: number; said: string; printed: string }> {
  let [code, said, printed] = [0, '', ''];
  const output = { print: (text: string) => (printed += text), fail: () => (code = 1) };
  const command = importCommand({ dataDir: root, issuer: 'i', audience: 'a' }, output).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  try {
    await command.parseAsync(args, { from: 'user' });
  } catch (error) {
    code = exitCodeOf(error, (text) => (said += text));
  }
  return { code, said, printed };
}
const simulator = (...more: string[]) => run('--mapping', 'simulator', '--data', root, ...more);

describe('import', () => {
  it('ends when features know every event that was imported', async () => {
    gateway.pending = [2, 1];
    await simulator();
    expect(gateway.pending).toEqual([]);
  });

  it('finds gateway and token of the local installation, prints what came of it, and exits 1 for rejected rows', async () => {
    const { code, printed } = await simulator();
    expect(code).toBe(1);
    expect(printed).toContain(
      'events: 1 accepted, 0 already there\nrejected: 1\n  events.ndjson row 2: INVALID_INPUT at type',
    );
    expect(new Set(gateway.tokens)).toEqual(new Set(['Bearer demo-operator']));
  });

  it('exits 0 with --allow-rejected, and prints JSON with --json', async () => {
    const { code, printed } = await simulator('--allow-rejected', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(printed) as ImportSummary).toMatchObject({
      eventsAccepted: 1,
      rejected: 1,
      retries: 0,
    });
  });

  it('opens another tenant with a token of its own', async () => {
    await simulator('--tenant', 'acme');
    expect(decodeJwt((gateway.tokens[0] ?? '').replace('Bearer ', ''))).toMatchObject({
      tenant: 'acme',
      roles: ['operator'],
      iss: 'i',
    });
  });

  it('takes a gateway and a token that are given', async () => {
    rmSync(join(root, 'access.json'));
    expect((await simulator()).said).toContain('CONFIG_INVALID');
    await expect(simulator('--url', url, '--token', 't')).resolves.toMatchObject({ code: 1 });
    expect(new Set(gateway.tokens)).toEqual(new Set(['Bearer t']));
  });

  it.each([
    { args: ['--batch', '0'], message: '--batch must be a whole number from 1 to 100000, got "0"' },
    { args: ['--in-flight', 'x'], message: '--in-flight must be' },
    { args: ['--tenant', 'a', '--token', 't'], message: 'give --tenant or --token, not both' },
    { args: ['--tenant', 'No Tenant'], message: '--tenant must be' },
    { args: ['--url', 'nowhere'], message: '--url must be a URL, got "nowhere"' },
    { args: ['--mapping', 'unheard_of'], message: 'unheard_of.yaml cannot be read' },
    {
      args: ['--data', '/no/such/folder'],
      message: '--data must be a folder that exists, got "/no/such/folder"',
    },
  ])('refuses $args with exit code 2', async ({ args, message }) => {
    const { code, said } = await simulator(...args);
    expect(code).toBe(2);
    expect(said).toContain(message);
    expect(gateway.batchSizes).toEqual([]);
  });
});
