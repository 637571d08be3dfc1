import type { Manifest } from '@sextant/artefacts';
import { describe, expect, it } from 'vitest';
import { prepareTask } from './prepared-task.js';

const tensor = (name: string, width: number) => ({
  name,
  datatype: 'FP32' as const,
  shape: [-1, width],
  rowShape: [width],
  width,
});

/** Two items and factors of rank 1: sources [3, 1], targets [1, 2]. */
function prepared(rank: number | null, values: number[]) {
  const spec = {
    task: 'recommend' as const,
    items: ['a', 'b'],
    components: [],
    tauItems: null,
    excludeHistory: true,
    rank,
    similarityFile: 'similarity.f32',
  };
  const manifest = { model: 'demo.recommend', version: 1, spec } as unknown as Manifest;
  const files = new Map([['similarity.f32', Buffer.from(Float32Array.from(values).buffer)]]);
  return prepareTask(manifest, { files, inputs: [tensor('history', 3)], outputs: [tensor('scores', 2)] });
}

describe('prepareTask of a recommender', () => {
  it('holds the weights in memory that threads share', () => {
    const task = prepared(1, [2, 3, 5, 7, 11]);
    if (task.task !== 'recommend') throw new Error('the task must be of a recommender');
    expect(task.weights).toBeInstanceOf(SharedArrayBuffer);
    expect([...new Float32Array(task.weights)]).toEqual([2, 3, 5, 7, 11]);
  });

  it('refuses a file that is not of the shape that the manifest says', () => {
    const refused = expect.objectContaining({ code: 'ARTEFACT_INVALID' });
    expect(() => prepared(1, [1, 2, 3, 4, 5, 6])).toThrow(refused);
    expect(() => prepared(null, [1, 2, 3, 4, 5])).toThrow(refused);
    expect(() => prepared(null, [0, 1, 1, 0, 2, 2])).not.toThrow();
  });
});
