import { describe, expect, it } from 'vitest';
import { estimateMemory, MemoryBudget } from './memory-budget.js';
import { ModelCatalogue } from './model-catalogue.js';
import type { ServedModel } from './served-model.js';
import { VersionSlot } from './version-slot.js';

/** Only what the budget looks at. */
const served = (model: string, version: string, memoryBytes: number): ServedModel =>
  ({ model, version, memoryBytes }) as ServedModel;

function aBudget(ceiling: number, ...loaded: [model: string, version: string, bytes: number][]) {
  const catalogue = new ModelCatalogue();
  const left: string[] = [];
  for (const [model, version, bytes] of loaded) {
    const slot = new VersionSlot(served(model, version, bytes), '', (old, reason) =>
      left.push(`${old.model}/${old.version} ${reason}`),
    );
    catalogue.put(slot);
  }
  return { budget: new MemoryBudget(ceiling, catalogue), catalogue, left };
}
const wanted = { model: 'x', version: 2 };

describe('MemoryBudget', () => {
  it('lets nobody leave while there is room, to the byte', () => {
    const { budget, left } = aBudget(100, ['a', '1', 60]);
    budget.reserve(wanted, 40);
    expect(left).toEqual([]);
    expect(budget.usedBytes).toBe(100);
    budget.reserve({ model: 'y', version: 1 }, 1);
    expect(left).toEqual(['a/1 evicted']);
  });

  it('gives a reservation back once', () => {
    const { budget } = aBudget(100);
    const release = budget.reserve(wanted, 70);
    expect(() => budget.reserve(wanted, 31)).toThrow(
      expect.objectContaining({ code: 'INFERENCE_UNAVAILABLE' }),
    );
    release();
    release();
    expect(budget.usedBytes).toBe(0);
    budget.reserve(wanted, 100);
  });

  it('never takes a version in use, moves nobody in vain, and says what is left', () => {
    const { budget, catalogue, left } = aBudget(100, ['a', '1', 60], ['b', '1', 30]);
    catalogue.get('a', '1').acquire();
    expect(() => budget.reserve(wanted, 50)).toThrow(/about 50 bytes.*leaves 40 of the 100/);
    expect(left).toEqual([]);
    catalogue.get('a', '1').release();
    budget.reserve(wanted, 50);
    expect(left).toContain('a/1 evicted');
  });

  it('takes other models before other versions of the same one', () => {
    const { budget, left } = aBudget(100, ['x', '1', 50], ['a', '1', 50]);
    budget.reserve(wanted, 50);
    expect(left).toEqual(['a/1 evicted']);
    budget.reserve({ model: 'x', version: 3 }, 50);
    expect(left).toEqual(['a/1 evicted', 'x/1 evicted']);
  });

  it('refuses what is larger than the ceiling with both figures and moves nobody', () => {
    const { budget, left } = aBudget(100, ['a', '1', 60]);
    expect(() => budget.reserve(wanted, 101)).toThrow(
      expect.objectContaining({
        code: 'MODEL_TOO_LARGE',
        message: expect.stringMatching(/x\/2 .*101 bytes.*MODEL_MEMORY_BYTES is 100/) as string,
      }),
    );
    expect(left).toEqual([]);
  });
});

describe('estimateMemory', () => {
  it('counts the files once and the weights for every session', () => {
    const files = new Map([
      ['model.onnx', new Uint8Array(8_000_000)],
      ['similarity.f32', new Uint8Array(2_000_000)],
    ]);
    const of = (sessions: number): number => estimateMemory({ files, onnxBytes: 8_000_000 }, sessions);
    expect(of(0)).toBe(10_000_000);
    expect(of(2) - of(1)).toBe(of(1) - of(0));
    expect(of(1) - of(0)).toBeGreaterThanOrEqual(8_000_000);
  });
});
