import { describe, expect, it } from 'vitest';
import { Histogram, SECONDS } from './histogram.js';
import { type Latencies, RecentLatencies } from './recent-latencies.js';

describe('recent latencies', () => {
  it('forget what is older than two steps, and begin anew with a version that was loaded again', () => {
    let total = aHistogram();
    const copy = (): Latencies => {
      const request = aHistogram();
      request.merge(total);
      return { request, queue: aHistogram(), compute: aHistogram() };
    };
    const recent = new RecentLatencies(() => new Map([['m', copy()]]));
    total.observe(2);
    expect(recent.of('m')?.request.quantile(0.5)).toBeGreaterThan(1);
    recent.step();
    total.observe(0.002);
    expect(recent.of('m')?.request.count).toBe(1);
    expect(recent.of('m')?.request.quantile(1)).toBe(0.0025);
    recent.step();
    expect(recent.of('m')?.request.count).toBe(1);
    recent.step();
    expect(recent.of('m')?.request.quantile(0.5)).toBeNull();

    total = aHistogram();
    total.observe(0.3);
    expect(recent.of('m')?.request.count).toBe(1);
    expect(recent.of('other')).toBeUndefined();
  });
});

function aHistogram(): Histogram {
  return new Histogram(SECONDS);
}
