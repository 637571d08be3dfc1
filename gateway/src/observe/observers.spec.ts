import { Writable } from 'node:stream';
import { GraphQLError, type ExecutionResult } from 'graphql';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import type { PreparedOperation, ServedOperation } from '../pipeline/operation.js';
import { BoundedNames } from './bounded-names.js';
import { GatewayMetrics } from './gateway-metrics.js';
import { observersOf } from './observers.js';

interface Details {
  name?: string;
  client?: string;
  result?: ExecutionResult;
  durationMs?: number;
}

function served({
  name = 'Home',
  client = 'shop-web',
  result,
  durationMs = 12,
}: Details = {}): ServedOperation {
  const prepared = { type: 'query', name, hash: 'a'.repeat(64), uses: 2 };
  return {
    prepared: prepared as Partial<PreparedOperation> as PreparedOperation,
    variables: {},
    context: {
      identity: { subject: 'anna@example.com', tenantId: 'demo', roles: ['web'], scopes: [] },
      audience: 'company',
      requestId: 'request-1',
      client: { name: client, version: '1', address: '203.0.113.9' },
      deadlineMs: 0,
      ledger: { fetches: 2, joined: 1, cached: 0, estimatedCost: 20, actualCost: 8, inferenceRows: 3 },
    },
    result: result ?? { data: { customer: null } },
    durationMs,
  };
}

const failed = (code: string, data?: null | object): ExecutionResult => ({
  ...(data !== undefined && { data: data as Record<string, unknown> | null }),
  errors: [new GraphQLError('told to the client', { extensions: { code } })],
});

function observed(level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const metrics = new GatewayMetrics();
  const observers = observersOf({ SEXTANT_SLOW_OPERATION_MS: 100 }, metrics, pino({ level }, sink));
  const observe = (operation: ServedOperation): void => observers.forEach((told) => told(operation));
  const valueOf = async (name: string, labels: Record<string, string>): Promise<number> => {
    const values = (await metrics.registry.getSingleMetric(name)?.get())?.values ?? [];
    const matching = values.filter((value) =>
      Object.entries(labels).every(([label, wanted]) => String(value.labels[label]) === wanted),
    );
    return matching.reduce((sum, { value }) => sum + value, 0);
  };
  return { observe, lines, metrics, valueOf };
}

describe('metrics of operations', () => {
  it.each([
    ['ok', { data: {} }],
    ['partial', failed('SUBGRAPH_UNAVAILABLE', {})],
    ['refused', failed('FORBIDDEN')],
    ['refused', failed('QUERY_TOO_DEEP')],
    ['failed', failed('SUBGRAPH_UNAVAILABLE', null)],
    ['failed', failed('INTERNAL_SERVER_ERROR')],
  ] as const)('count as %s what was answered %j', async (outcome, result) => {
    const { observe, valueOf } = observed();
    observe(served({ result }));
    expect(await valueOf('sextant_gateway_operations_total', { outcome, operation: 'Home' })).toBe(1);
    expect(await valueOf('sextant_gateway_client_operations_total', { outcome, client: 'shop-web' })).toBe(1);
    expect(await valueOf('sextant_gateway_refused_total', { stage: 'operation' })).toBe(
      outcome === 'refused' ? 1 : 0,
    );
  });

  it('hold cost, rows of models and kept documents', async () => {
    const { observe, valueOf } = observed();
    observe(served());
    expect(await valueOf('sextant_gateway_inference_rows_total', {})).toBe(3);
    expect(await valueOf('sextant_gateway_documents_total', { outcome: 'kept' })).toBe(1);
    expect(await valueOf('sextant_gateway_operation_cost', { kind: 'estimated', le: '10' })).toBe(0);
    expect(await valueOf('sextant_gateway_operation_cost', { kind: 'actual', le: '10' })).toBe(1);
  });

  it('stay few, however many names clients make up', async () => {
    const { observe, metrics, valueOf } = observed();
    for (let i = 0; i < 2_000; i += 1) observe(served({ name: `Made${i}`, client: `c${i}` }));
    const values = (await metrics.registry.getSingleMetric('sextant_gateway_operations_total')?.get())
      ?.values;
    expect(values).toHaveLength(201);
    expect(await valueOf('sextant_gateway_operations_total', { operation: 'other' })).toBe(1_800);
    expect(await valueOf('sextant_gateway_client_operations_total', { client: 'other' })).toBe(1_950);
  });
});

describe('the log of operations', () => {
  it('has no line for what went well, and one for what is slow: which it was, never whom', () => {
    const { observe, lines } = observed();
    observe(served({ durationMs: 99.9 }));
    expect(lines).toEqual([]);
    observe(served({ durationMs: 100 }));
    expect(lines).toEqual([
      expect.objectContaining({
        ...{ level: 40, msg: 'slow operation', requestId: 'request-1', tenant: 'demo', client: 'shop-web' },
        ...{
          operation: 'Home',
          hash: 'a'.repeat(64),
          durationMs: 100,
          fetches: 2,
          estimatedCost: 20,
          outcome: 'ok',
        },
      }),
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/anna|203\.0\.113/);
  });

  it('has the codes of what did not go well, as a warning where it is our fault', () => {
    const { observe, lines } = observed();
    observe(served({ result: failed('FORBIDDEN') }));
    observe(served({ result: failed('INTERNAL_SERVER_ERROR') }));
    expect(lines.map(({ level, codes }) => [level, codes])).toEqual([
      [30, ['FORBIDDEN']],
      [40, ['INTERNAL_SERVER_ERROR']],
    ]);
    expect(JSON.stringify(lines)).not.toContain('told to the client');
  });

  it('leaves lines out where there are too many, and says so', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { observe, lines } = observed();
    for (let i = 0; i < 1_000; i += 1) observe(served({ result: failed('FORBIDDEN') }));
    expect(lines).toHaveLength(100);
    vi.advanceTimersByTime(1_000);
    observe(served({ result: failed('FORBIDDEN') }));
    vi.useRealTimers();
    expect(lines.slice(100)).toEqual([
      expect.objectContaining({ leftOut: 900 }),
      expect.objectContaining({ codes: ['FORBIDDEN'] }),
    ]);
  });

  it('has every operation at the level debug', () => {
    const { observe, lines } = observed('debug');
    observe(served());
    expect(lines).toHaveLength(1);
  });
});

describe('BoundedNames', () => {
  it('takes plain names only: no address of a person gets into a label', () => {
    const names = new BoundedNames(3, ['known client']);
    expect(
      ['', null, 'anna@example.com', 'Anna Muster', 'x'.repeat(65), 'known client', 'a', 'b', 'c', 'a'].map(
        (name) => names.of(name),
      ),
    ).toEqual(['none', 'none', 'other', 'other', 'other', 'known client', 'a', 'b', 'other', 'a']);
  });
});
