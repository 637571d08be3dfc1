import { describe, expect, it } from 'vitest';
import { type AttemptOutcome, CircuitBreaker } from './circuit-breaker.js';

function aBreaker() {
  const changes: string[] = [];
  const breaker: CircuitBreaker = new CircuitBreaker(
    {
      ...{ silentAttempts: 3, errorRate: 0.5, leastAttempts: 10, windowMs: 1_000 },
      ...{ probeAfterMs: 100, longestProbeAfterMs: 300 },
    },
    () => void changes.push(breaker.state),
  );
  const record = (outcome: AttemptOutcome, times: number, now = 0): void => {
    for (let i = 0; i < times; i++) breaker.record(outcome, now, false);
  };
  return { breaker, changes, record };
}

describe('a circuit breaker', () => {
  it('opens after three attempts in a row without an answer, not after three in all', () => {
    const { breaker, record } = aBreaker();
    record('unreachable', 2);
    record('answered', 1);
    record('unreachable', 2);
    expect(breaker.state).toBe('closed');
    record('undecided', 9);
    expect(breaker.state).toBe('closed');
    record('unreachable', 1);
    expect([breaker.state, breaker.reason]).toEqual(['open', 'silent']);
  });

  it('opens when half of at least ten attempts failed', () => {
    const { breaker, record } = aBreaker();
    record('failed', 4);
    record('answered', 5);
    expect(breaker.state).toBe('closed');
    record('failed', 1);
    expect([breaker.state, breaker.reason]).toEqual(['open', 'sick']);
  });

  it('forgets what is older than its window', () => {
    const { breaker, record } = aBreaker();
    record('failed', 9, 0);
    record('failed', 4, 1_000);
    expect(breaker.state).toBe('closed');
    record('failed', 6, 1_100);
    expect(breaker.state).toBe('open');
  });

  it('lets one probe through a pause, which closes it when it is answered', () => {
    const { breaker, changes, record } = aBreaker();
    record('unreachable', 3, 0);
    expect([breaker.startProbe(99), breaker.startProbe(100), breaker.startProbe(100)]).toEqual([
      false,
      true,
      false,
    ]);
    breaker.record('answered', 110, false); // a late answer of an attempt from before
    expect(breaker.state).toBe('half-open');
    breaker.record('answered', 120, true);
    expect(changes).toEqual(['open', 'half-open', 'closed']);
    record('unreachable', 2, 130);
    expect(breaker.state).toBe('closed');
  });

  it('pauses twice as long after each probe that fails, up to a limit', () => {
    const { breaker, record } = aBreaker();
    record('unreachable', 3, 0);
    for (const [from, pause] of [
      [0, 100],
      [100, 200],
      [300, 300],
      [600, 300],
    ] as const) {
      expect(breaker.startProbe(from + pause - 1)).toBe(false);
      expect(breaker.startProbe(from + pause)).toBe(true);
      breaker.record('unreachable', from + pause, true);
    }
  });

  it('does not pause longer for a probe that said nothing', () => {
    const { breaker, record } = aBreaker();
    record('unreachable', 3, 0);
    breaker.startProbe(100);
    breaker.record('undecided', 100, true);
    expect([breaker.startProbe(199), breaker.startProbe(200)]).toEqual([false, true]);
  });

  it('closes for a silent worker that answers with a failure, and stays open for a sick one that does', () => {
    const silent = aBreaker();
    silent.record('unreachable', 3, 0);
    silent.breaker.startProbe(100);
    silent.breaker.record('failed', 100, true);
    expect(silent.breaker.state).toBe('closed');
    const sick = aBreaker();
    sick.record('failed', 10, 0);
    sick.breaker.startProbe(100);
    sick.breaker.record('failed', 100, true);
    expect([sick.breaker.state, sick.breaker.reason]).toEqual(['open', 'sick']);
  });

  it('closes with a new connection for a worker that was silent, not for one that is sick', () => {
    const silent = aBreaker();
    silent.record('unreachable', 3, 0);
    silent.breaker.reconnected();
    expect(silent.changes).toEqual(['open', 'closed']);
    const sick = aBreaker();
    sick.record('failed', 10, 0);
    sick.breaker.reconnected();
    expect([sick.breaker.state, sick.breaker.startProbe(99), sick.breaker.startProbe(100)]).toEqual([
      'open',
      false,
      true,
    ]);
  });
});
