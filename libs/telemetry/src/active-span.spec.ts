import { describe, expect, it } from 'vitest';
import { activeSpan, forwardedSpan, runInSpan } from './active-span.js';
import type { TraceSpan } from './tracing.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function aSpan(traceparent = TRACEPARENT): TraceSpan {
  const span = forwardedSpan({ traceparent, tracestate: 'a=b' });
  if (!span) throw new Error('no span');
  return span;
}

describe('the active span', () => {
  it('is found across awaits and timers of its own work, and nowhere else', async () => {
    const [first, second] = [aSpan(), aSpan(TRACEPARENT.replace('b7', 'c8'))];
    const look = async (): Promise<TraceSpan | undefined> => {
      await new Promise((resolve) => setImmediate(resolve));
      return activeSpan();
    };
    const found = await Promise.all([runInSpan(first, look), runInSpan(second, look), look()]);
    expect(found).toEqual([first, second, undefined]);
  });
});

describe('a forwarded span', () => {
  it('hands on what the caller sent, through its children too', () => {
    const child = aSpan().child('inner');
    expect([child.traceparent, child.tracestate, child.isRecording]).toEqual([TRACEPARENT, 'a=b', false]);
  });

  it.each([undefined, '', 'nonsense', `${TRACEPARENT}\r\nx: y`])('is none for %j', (traceparent) => {
    expect(forwardedSpan({ traceparent })).toBeUndefined();
  });
});
