import { describe, expect, it } from 'vitest';
import { BREAKER_POLICY, type BreakerState, CircuitBreaker, type Pass } from './circuit-breaker.js';

function aBreaker() {
  const clock = { ms: 1_000_000 };
  const states: BreakerState[] = [];
  const breaker = new CircuitBreaker({
    policy: BREAKER_POLICY,
    now: () => clock.ms,
    onChange: (state) => states.push(state),
  });
  const call = (): Pass => {
    const pass = breaker.enter();
    if (typeof pass === 'number') throw new Error(`kept away for ${pass} ms`);
    return pass;
  };
  const fail = (times: number): void => {
    for (let i = 0; i < times; i += 1) call().fail();
  };
  return { breaker, clock, states, call, fail };
}

describe('CircuitBreaker', () => {
  it('opens at the 20th of 20 failed calls', () => {
    const { breaker, fail } = aBreaker();
    fail(19);
    expect(breaker.state).toBe('closed');
    fail(1);
    expect(breaker.state).toBe('open');
    expect(breaker.enter()).toBe(500);
  });

  it('opens at half of the calls, not below', () => {
    const { breaker, fail, call } = aBreaker();
    for (let i = 0; i < 20; i += 1) call().succeed();
    fail(19);
    expect(breaker.state).toBe('closed');
    fail(1);
    expect(breaker.state).toBe('open');
  });

  it('forgets what is older than its window', () => {
    const { breaker, clock, fail } = aBreaker();
    fail(19);
    clock.ms += BREAKER_POLICY.windowMs;
    fail(19);
    expect(breaker.state).toBe('closed');
  });

  it('lets exactly one probe through after the pause, and closes when it is answered', () => {
    const { breaker, clock, states, fail, call } = aBreaker();
    fail(20);
    clock.ms += 499;
    expect(breaker.enter()).toBe(1);
    clock.ms += 1;
    const probe = call();
    expect(breaker.state).toBe('half-open');
    expect(breaker.enter()).toBeTypeOf('number');
    probe.succeed();
    expect(states).toEqual(['open', 'half-open', 'closed']);
    fail(19);
    expect(breaker.state).toBe('closed');
  });

  it('doubles the pause after each failed probe, up to 4 s, and starts anew once closed', () => {
    const { breaker, clock, fail, call } = aBreaker();
    fail(20);
    const pauses = [500, 1_000, 2_000, 4_000, 4_000].map((expected) => {
      const waitMs = breaker.enter();
      clock.ms += expected;
      call().fail();
      return waitMs;
    });
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 4_000]);
    clock.ms += 4_000;
    call().succeed();
    fail(20);
    expect(breaker.enter()).toBe(500);
  });

  it('lets another probe through when one ended without telling anything', () => {
    const { breaker, clock, fail, call } = aBreaker();
    fail(20);
    clock.ms += 500;
    call().forget();
    call().succeed();
    expect(breaker.state).toBe('closed');
  });

  it('counts no call that began before it opened', () => {
    const { breaker, clock, fail, call } = aBreaker();
    const early = call();
    fail(20);
    early.fail();
    clock.ms += 500;
    call().succeed();
    expect(breaker.state).toBe('closed');
  });
});
