import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import { afterEach, describe, expect, it } from 'vitest';
import { exitCodeOf } from '../exit-code.js';
import { inheritSettings } from '../inherit-settings.js';
import { batchCommand } from './batch.command.js';

const JOB = {
  ...{ id: 'bat_1', task: 'churn', state: 'RUNNING', progress: 0.5, etaSeconds: 2, customersPerSecond: 500 },
  ...{ asOf: '2026-04-01T00:00:00Z', modelVersion: { id: 'demo.churn@7' }, customers: 2_000, scored: 990 },
  ...{ failed: 10, failures: [{ code: 'FEATURE_VECTOR_MISMATCH', customers: 10 }], note: null },
  ...{ createdAt: '2026-04-01T00:00:00Z', finishedAt: null, failure: null },
};

/** A gateway that gives these answers, one a request, and keeps what it was asked. */
async function aGateway(answers: object[]) {
  const asked: { query: string; variables: Record<string, unknown> }[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push(JSON.parse(body));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data: answers.shift() }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, asked, server };
}

describe('sextant batch', () => {
  const servers: Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  async function run(args: string[], answers: object[] = []) {
    const gateway = await aGateway(answers);
    servers.push(gateway.server);
    let [code, printed, said] = [0, '', ''];
    const program = new Command('sextant')
      .exitOverride()
      .configureOutput({ writeErr: (text) => (said += text) });
    const output = {
      print: (text: string) => void (printed += text),
      say: (line: string) => void (said += `${line}\n`),
      fail: () => void (code = 1),
    };
    const authority = { dataDir: 'nowhere', issuer: 'i', audience: 'a' };
    program.addCommand(inheritSettings(batchCommand(authority, output), program));
    try {
      const connection = ['--url', gateway.url, '--token', 't'];
      await program.parseAsync(['batch', ...args, ...connection], { from: 'user' });
    } catch (error) {
      code = exitCodeOf(error, (message) => (said += message));
    }
    return { code, printed, said, asked: gateway.asked };
  }

  it('scores, waits, says how far it is, and ends with 1 when the job fails', async () => {
    const failure = { code: 'INFERENCE_UNAVAILABLE', message: 'no worker answered' };
    const failed = { ...JOB, state: 'FAILED', failure };
    const { code, printed, said, asked } = await run(
      ['score', 'churn', '--wait'],
      [{ startScoring: { job: JOB, userErrors: [] } }, { batchJob: failed }],
    );
    expect(asked[0]?.variables).toMatchObject({ input: { task: 'churn' } });
    expect(said).toBe('[50 %], 2 s to go\n');
    expect(printed).toBe(
      'bat_1 churn FAILED: 990 of 2000 customers scored by demo.churn@7, 500 a second\n' +
        '  10 could not be: 10 FEATURE_VECTOR_MISMATCH\n' +
        '  INFERENCE_UNAVAILABLE: no worker answered\n',
    );
    expect(code).toBe(1);
  });

  it('says why a job was not begun, with the code, and ends with 1', async () => {
    const userErrors = [{ code: 'MODEL_NOT_FOUND', message: 'no version of churn is live' }];
    const { code, said } = await run(['score', 'churn'], [{ startScoring: { job: null, userErrors } }]);
    expect([code, said]).toEqual([1, 'MODEL_NOT_FOUND: no version of churn is live']);
  });

  it('prints the highest scores as a table, and says where there are none', async () => {
    const node = { customer: { id: 'cus_1' }, probability: 0.91234, percentile: 99, band: 'HIGH' };
    const nodes = [{ ...node, asOf: '2026-04-01T00:00:00Z' }];
    const { printed } = await run(['top', 'churn'], [{ topCustomers: { nodes } }]);
    expect(printed).toContain('cus_1     0.9123       HIGH  2026-04-01T00:00:00Z');
    expect((await run(['top', 'lead'], [{ topCustomers: { nodes: [] } }])).printed).toMatch(/nobody has/);
  });

  it('prints one line of JSON where that is asked for', async () => {
    const { printed } = await run(
      ['cancel', 'bat_1', '--json'],
      [{ stopScoring: { job: JOB, userErrors: [] } }],
    );
    expect(JSON.parse(printed)).toEqual(JOB);
  });

  it.each<[string[], object[], RegExp]>([
    [['score', 'price'], [], /'price' is invalid for argument 'task'/],
    [['top', 'churn', '--first', '101'], [], /--first must be a whole number from 1 to 100/],
    [
      ['resume', 'bat_2'],
      [{ resumeScoring: { job: null, userErrors: [{ code: 'JOB_NOT_FOUND', message: 'none' }] } }],
      /INVALID_INPUT: there is no batch job bat_2/,
    ],
  ])('takes %j for wrong usage and ends with 2', async (args, answers, message) => {
    const { code, said } = await run(args, answers);
    expect(said).toMatch(message);
    expect(code).toBe(2);
  });
});
