import { DomainError } from '@sextant/domain';
import type { OnnxModel } from '@sextant/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const TOLERANCE = 1e-5;
/** Tensors of trees take much memory a row on a CPU. */
const GPU_FORM_ROWS = 200;

/**
 * Verifies every form of a model: see `verifyOnnx`; the form for GPUs on the first 200 rows.
 *
 * @param rows      row-major, shape [n, columns]
 * @param expected  shape [n]
 */
export async function verifyOnnxForms(
  { bytes, gpuBytes }: Pick<OnnxModel, 'bytes' | 'gpuBytes'>,
  rows: Float32Array,
  expected: Float64Array,
): Promise<void> {
  await verifyOnnx(bytes, rows, expected);
  if (gpuBytes === undefined || expected.length === 0) return;
  const count = Math.min(GPU_FORM_ROWS, expected.length);
  const columns = rows.length / expected.length;
  await verifyOnnx(gpuBytes, rows.slice(0, count * columns), expected.subarray(0, count));
}

/**
 * Runs a written model and compares it with what was fitted, so that no file is published that predicts something else.
 *
 * @param rows      row-major, shape [n, columns]
 * @param expected  shape [n, width]
 * @param width     columns of the output; 1 when absent
 * @returns         largest absolute difference
 * @throws DomainError TRAINING_FAILED when it exceeds 1e-5
 */
export async function verifyOnnx(
  model: Uint8Array,
  rows: Float32Array,
  expected: ArrayLike<number>,
  width = 1,
): Promise<number> {
  const session = await InferenceSession.create(model, { executionProviders: ['cpu'], intraOpNumThreads: 1 });
  try {
    const [input, output] = [session.inputNames[0] ?? '', session.outputNames[0] ?? ''];
    const count = expected.length / width;
    const shape = [count, rows.length / count];
    const answer = (await session.run({ [input]: new Tensor('float32', rows, shape) }))[output];
    const actual = answer?.data;
    if (!(actual instanceof Float32Array) || actual.length !== expected.length) {
      throw new DomainError(
        'TRAINING_FAILED',
        `the ONNX model answers ${String(answer?.dims)} for ${count} rows`,
      );
    }
    const worst = actual.reduce(
      (max, value, i) => Math.max(max, Math.abs(value - (expected[i] ?? Number.NaN))),
      0,
    );
    if (!(worst <= TOLERANCE)) {
      throw new DomainError('TRAINING_FAILED', `the ONNX model differs from the fitted model by ${worst}`);
    }
    return worst;
  } finally {
    await session.release();
  }
}
