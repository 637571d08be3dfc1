import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PredictionMetrics } from '../prediction-metrics.js';
import type { NewDecision } from '@sextant/decision-log';
import {
  DECISION_LOG_DEFAULTS,
  DecisionLog,
  type DecisionLogOptions,
  type DecisionSink,
} from './decision-log.js';

const aDecision = (id: string, overrides: Partial<NewDecision> = {}): NewDecision => ({
  ...{
    id,
    tenantId: 'demo',
    kind: 'lead',
    subject: 'cus_1',
    customerId: 'cus_1',
    at: new Date(0),
    modelVersion: 'demo.lead@1',
  },
  ...{
    rung: 'MODEL',
    fallbackReason: null,
    device: 'CPU',
    repeats: null,
    inputJson: '{"a":1}',
    inputHash: 'x',
    output: { probability: 0.5 },
    propensity: null,
  },
  ...overrides,
});

/** A store that can go away. */
class Sink implements DecisionSink {
  readonly batches: string[][] = [];
  isDown = false;
  insertMany(rows: readonly NewDecision[]): Promise<void> {
    this.batches.push(rows.map(({ id }) => id));
    return this.isDown ? Promise.reject(new Error('away')) : Promise.resolve();
  }
}

describe('DecisionLog', () => {
  let now = 0;
  let registry: Registry;
  const aLog = (sink: DecisionSink, options: Partial<DecisionLogOptions> = {}) => {
    registry = new Registry();
    return new DecisionLog(sink, new PredictionMetrics(registry), {
      ...DECISION_LOG_DEFAULTS,
      now: () => now,
      ...options,
    });
  };
  const metric = async (name: string): Promise<number | undefined> =>
    (await registry.getSingleMetric(name)?.get())?.values[0]?.value;
  const pass = async (ms: number): Promise<void> => {
    now += ms;
    await vi.advanceTimersByTimeAsync(ms);
  };
  beforeEach(() => {
    now = 0;
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());

  it('stores what comes within 100 ms together, and can be read before', async () => {
    const sink = new Sink();
    const log = aLog(sink);
    log.record(aDecision('a'));
    await pass(99);
    log.record(aDecision('b'));
    expect(sink.batches).toEqual([]);
    expect(log.findWaiting('demo', 'b')?.id).toBe('b');
    expect(log.findWaiting('other', 'b')).toBeNull();
    expect(log.listWaiting('demo', 'cus_1').map(({ id }) => id)).toEqual(['b', 'a']);
    await pass(1);
    expect(sink.batches).toEqual([['a', 'b']]);
    expect(log.findWaiting('demo', 'b')).toBeNull();
  });

  it('stores at once when a batch is full, and more than a batch in parts', async () => {
    const sink = new Sink();
    const log = aLog(sink, { flushRows: 2 });
    for (const id of ['a', 'b', 'c']) log.record(aDecision(id));
    await pass(0);
    expect(sink.batches).toEqual([['a', 'b'], ['c']]);
  });

  it('drops and counts what finds no room, by rows and by bytes', async () => {
    const sink = new Sink();
    const log = aLog(sink, { maxRows: 2 });
    expect(['a', 'b', 'c'].map((id) => log.record(aDecision(id)))).toEqual([true, true, false]);
    expect(await metric('sextant_decision_log_dropped_total')).toBe(1);
    expect(await metric('sextant_decision_log_buffered')).toBe(2);
    await pass(100);
    expect(log.record(aDecision('d'))).toBe(true);
    const small = aLog(sink, { maxBytes: 500 });
    expect(small.record(aDecision('e', { inputJson: 'x'.repeat(200) }))).toBe(false);
    expect(small.record(aDecision('f'))).toBe(true);
  });

  it('keeps rows while the store is away, pauses longer each time, and stores them once it is back', async () => {
    const sink = new Sink();
    const log = aLog(sink);
    sink.isDown = true;
    log.record(aDecision('a'));
    await pass(100);
    await pass(250);
    await pass(499);
    expect(sink.batches).toHaveLength(2);
    await pass(1);
    expect(sink.batches).toHaveLength(3);
    sink.isDown = false;
    log.record(aDecision('b'));
    await pass(1_000);
    expect(sink.batches.at(-1)).toEqual(['a', 'b']);
    expect(await metric('sextant_decision_log_dropped_total')).toBe(0);
    expect(await metric('sextant_decision_log_written_total')).toBe(2);
  });

  it('gives a row up after ten minutes, and not before', async () => {
    const sink = new Sink();
    sink.isDown = true;
    const log = aLog(sink, { giveUpAfterMs: 10_000 });
    log.record(aDecision('a'));
    await pass(100);
    now = 9_000;
    await vi.advanceTimersByTimeAsync(250);
    expect(log.findWaiting('demo', 'a')).not.toBeNull();
    now = 10_000;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(log.findWaiting('demo', 'a')).toBeNull();
    expect(await metric('sextant_decision_log_dropped_total')).toBe(1);
  });

  it('stores the rest when it closes, and counts what it could not', async () => {
    const sink = new Sink();
    const log = aLog(sink);
    log.record(aDecision('a'));
    await log.close();
    expect(sink.batches).toEqual([['a']]);
    const second = aLog(sink);
    sink.isDown = true;
    second.record(aDecision('b'));
    await second.close();
    expect(await metric('sextant_decision_log_dropped_total')).toBe(1);
  });
});
