import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { writeSessionModel } from './session-model.js';

describe('writeSessionModel', () => {
  it('adds what the sources lead to, what coming back scores, and the prior', async () => {
    const { bytes, inputs, outputs } = writeSessionModel({
      itemCount: 2,
      transitions: Float32Array.of(0, 0.5, 0.25, 0),
      prior: Float32Array.of(0.125, 0),
    });
    expect([inputs[0]?.shape, outputs[0]?.shape]).toEqual([
      [-1, 4],
      [-1, 2],
    ]);
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    const rows = Float32Array.of(1, 0, 0, 0, 0.5, 0.5, 0.25, 2);
    const { scores } = await session.run({ session: new Tensor('float32', rows, [2, 4]) });
    expect([...(scores?.data as Float32Array)]).toEqual([0.125, 0.5, 0.5, 2.25]);
    await session.release();
  });

  it('refuses sizes that do not fit', () => {
    const tensors = { itemCount: 2, transitions: new Float32Array(3), prior: new Float32Array(2) };
    expect(() => writeSessionModel(tensors)).toThrow('[2, 2]');
  });
});
