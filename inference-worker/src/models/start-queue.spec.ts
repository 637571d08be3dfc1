import { DomainError } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import { WorkerLifecycle } from '../operations/worker-lifecycle.js';
import type { CallContext } from '../transport/call-context.js';
import { StartQueue } from './start-queue.js';

const context = (deadline: number): CallContext =>
  ({ deadline, isCancelled: false }) as Partial<CallContext> as CallContext;
const soon = (): CallContext => context(Date.now() + 5_000);
const code = (error: unknown): string => (error instanceof DomainError ? error.code : String(error));

describe('StartQueue', () => {
  it('lets a call go on as soon as its model is there, before the others are', async () => {
    const lifecycle = new WorkerLifecycle();
    const queue = new StartQueue(lifecycle);
    const opened = new Set<string>();
    const first = queue.wait(() => opened.has('a'), soon());
    let isSecondDone = false;
    const second = queue.wait(() => opened.has('b'), soon()).then(() => (isSecondDone = true));

    opened.add('a');
    await first;
    expect(isSecondDone).toBe(false);
    lifecycle.markReady();
    await second;
    expect(queue.isOpen).toBe(false);
  });

  it('refuses a call whose time passes, and every call of a worker that ends before it began', async () => {
    const lifecycle = new WorkerLifecycle();
    const queue = new StartQueue(lifecycle);
    const late = queue.wait(() => false, context(Date.now() + 30)).catch(code);
    expect(await late).toBe('INFERENCE_UNAVAILABLE');

    const ended = queue.wait(() => false, soon()).catch(code);
    lifecycle.startDraining();
    expect(await ended).toBe('INFERENCE_UNAVAILABLE');
  });

  it('holds 1,024 calls and tells the next to come again', async () => {
    const lifecycle = new WorkerLifecycle();
    const queue = new StartQueue(lifecycle);
    const held = Array.from({ length: 1_024 }, () => queue.wait(() => false, soon()));
    expect(await queue.wait(() => false, soon()).catch(code)).toBe('INFERENCE_UNAVAILABLE');
    lifecycle.markReady();
    await Promise.all(held);
  });
});
