import { seededRandom } from '@sextant/learning';
import { applyCalibration, type Calibration, fitIsotonic } from '@sextant/learning/calibration';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { writeLinearModel } from './linear-model.js';

/** Probabilities of margins through ONNX Runtime: a linear model of one column with coefficient 1. */
async function served(
  platt: Calibration,
  margins: Float32Array,
  form: 'bytes' | 'gpuBytes' = 'bytes',
): Promise<Float32Array> {
  const model = writeLinearModel({ coefficients: [1], intercept: 0 }, { kind: 'probability', platt });
  const session = await InferenceSession.create(model[form] ?? new Uint8Array(), { intraOpNumThreads: 1 });
  const input = new Tensor('float32', margins, [margins.length, 1]);
  const output = (await session.run({ features: input }))['probability'];
  await session.release();
  return output?.data as Float32Array;
}

describe('the probability head', () => {
  const random = seededRandom(6);
  const margins = Float32Array.from({ length: 10_000 }, () => 10 * random() - 5);

  it('serves an isotonic bend within 1e-6 of the arithmetic, on 10,000 margins and far beyond the knots', async () => {
    const labels = Array.from(margins, (margin) => (random() < (margin < 0 ? 0.05 : 0.6) ? 1 : 0));
    const calibration = fitIsotonic(margins, labels);
    const asked = Float32Array.of(...margins, -1e4, 1e4, ...(calibration.bend?.margins ?? []));
    const probabilities = await served(calibration, asked);

    expect(calibration.bend?.margins.length).toBeGreaterThan(5);
    const worst = probabilities.reduce(
      (max, p, i) => Math.max(max, Math.abs(p - applyCalibration(calibration, asked[i] ?? 0))),
      0,
    );
    expect(worst).toBeLessThan(1e-6);
  });

  it.each([
    ['one knot', { margins: [0.5], corrections: [0.25] }],
    ['two knots', { margins: [-1, 1], corrections: [-0.5, 2] }],
  ])('serves a bend of %s', async (_title, bend) => {
    const calibration = { a: 0.7, b: -0.1, bend };
    const asked = Float32Array.of(-3, -1, 0, 0.25, 1, 3);
    for (const form of ['bytes', 'gpuBytes'] as const) {
      for (const [i, p] of (await served(calibration, asked, form)).entries()) {
        expect(Math.abs(p - applyCalibration(calibration, asked[i] ?? 0))).toBeLessThan(1e-6);
      }
    }
  });

  it('is not written in float32 for a bend that is almost a step', () => {
    const written = (width: number): boolean => {
      const platt = { a: 1, b: 0, bend: { margins: [0, width], corrections: [0, 1.6] } };
      return (
        writeLinearModel({ coefficients: [1], intercept: 0 }, { kind: 'probability', platt }).gpuBytes !==
        undefined
      );
    };
    expect([written(0.1), written(0.099)]).toEqual([true, false]);
  });
});
