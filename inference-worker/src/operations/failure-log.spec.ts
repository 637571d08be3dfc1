import { DomainError } from '@sextant/domain';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type FailedCall, FailureLog } from './failure-log.js';

const MARKER = 'marker-4711';

function logOf(level = 'debug'): {
  log: FailureLog;
  lines: Record<string, unknown>[];
  clock: { ms: number };
} {
  const lines: Record<string, unknown>[] = [];
  const clock = { ms: 0 };
  const logger = pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { log: new FailureLog(logger, () => clock.ms), lines, clock };
}

const failed = (error: unknown, over: Partial<FailedCall> = {}): FailedCall => ({
  rpc: 'ModelInfer',
  code: 13,
  error,
  traceparent: undefined,
  served: { model: 'demo.lead', version: '3' },
  ...over,
});

describe('the log of failures', () => {
  it('holds no message: neither of bugs, nor of refusals, nor of ONNX Runtime', () => {
    const { log, lines } = logOf();
    const onnx = new Error(`Non-zero status code returned while running Gather node. idx=${MARKER} is out`);
    const cause = { cause: onnx };
    const errors: FailedCall[] = [
      failed(new TypeError(`cannot read ${MARKER}\n  second line of ${MARKER}`), { rpc: 'a' }),
      failed(new DomainError('INVALID_INPUT', MARKER, { path: `rows["${MARKER}"]` }), { rpc: 'b', code: 3 }),
      failed(new DomainError('INFERENCE_FAILED', MARKER, cause), { rpc: 'c' }),
      failed(MARKER, { rpc: 'd', traceparent: MARKER }),
    ];
    for (const each of errors) log.callFailed(each);

    expect(lines).toHaveLength(4);
    expect(JSON.stringify(lines)).not.toContain(MARKER);
    expect(lines[0]).toMatchObject({
      error: 'TypeError',
      model: 'demo.lead',
      version: '3',
      code: 'INTERNAL',
    });
    expect(lines[0]?.['stack']).toMatch(/^at .*failure-log\.spec\.ts/);
    expect(lines[2]).toMatchObject({ error: 'INFERENCE_FAILED', operator: 'Gather' });
  });

  it('names the field and the trace', () => {
    const { log, lines } = logOf();
    const error = new DomainError('TENSOR_MISMATCH', 'x', { path: 'inputs[0].shape' });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    log.callFailed(failed(error, { code: 3, traceparent }));
    expect(lines[0]).toMatchObject({ path: 'inputs[0].shape', traceId: '0af7651916cd43dd8448eb211c80319c' });
  });

  it('says each kind once a second and how many it left out', () => {
    const { log, lines, clock } = logOf();
    const error = new DomainError('QUEUE_FULL', 'full');
    for (let i = 0; i < 100; i++) log.callFailed(failed(error, { code: 8 }));
    log.callFailed(failed(error, { code: 8, rpc: 'Recommend' }));
    clock.ms = 999;
    log.callFailed(failed(error, { code: 8 }));
    clock.ms = 1_000;
    log.callFailed(failed(error, { code: 8 }));
    expect(lines.map(({ rpc, suppressed }) => [rpc, suppressed])).toEqual([
      ['ModelInfer', undefined],
      ['Recommend', undefined],
      ['ModelInfer', 100],
    ]);
  });

  it('tells faults as errors, overload as a warning, and keeps refusals for debugging', () => {
    const { log, lines } = logOf('info');
    for (const code of [3, 4, 5, 8, 13, 14]) log.callFailed(failed(new Error('x'), { code, rpc: `${code}` }));
    expect(lines.map(({ level, rpc }) => [level, rpc])).toEqual([
      [40, '8'],
      [50, '13'],
    ]);
  });
});
