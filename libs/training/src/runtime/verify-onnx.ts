import { DomainError } from '@sextant/domain';
import type { OnnxModel } from '@sextant/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const TOLERANCE = 1e-5;
/** Tensors of trees take much memory a row on a CPU. */
const GPU_FORM_ROWS = 200;

/**
 * Verifies a model: see `verifyOnnx`. Its form for GPUs, tried on the first 200 rows, is left out where float32 is too coarse for it.
 *
 * @param rows      row-major, shape [n, columns]
 * @param expected  shape [n]
 * @returns         the model with the forms that may be published
 */
export async function verifiedForms(
  model: OnnxModel,
  rows: Float32Array,
  expected: Float64Array,
): Promise<OnnxModel> {
  const { gpuBytes, ...cpuOnly } = model;
  await verifyOnnx(model.bytes, rows, expected);
  if (gpuBytes === undefined || expected.length === 0) return model;
  const count = Math.min(GPU_FORM_ROWS, expected.length);
  const columns = rows.length / expected.length;
  try {
    await verifyOnnx(gpuBytes, rows.slice(0, count * columns), expected.subarray(0, count));
    return model;
  } catch (error) {
    if (error instanceof DomainError) return cpuOnly;
    throw error;
  }
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
