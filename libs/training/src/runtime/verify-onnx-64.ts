import { DomainError } from '@sextant/domain';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const RELATIVE_TOLERANCE = 1e-6;

/** Rows of a float64 model and what it must answer, both row-major; NaN must be answered by NaN. */
export interface Expected64 {
  rows: Float64Array<ArrayBuffer>;
  columns: number;
  outputs: Float64Array;
}

/**
 * Runs a written float64 model and compares it with what was fitted, so that no file is published that predicts something else.
 *
 * @returns  largest difference, relative to the value or to 1e-6 where the value is smaller
 * @throws DomainError TRAINING_FAILED when it exceeds 1e-6
 */
export async function verifyOnnx64(
  model: Uint8Array,
  { rows, columns, outputs }: Expected64,
): Promise<number> {
  const session = await InferenceSession.create(model, { executionProviders: ['cpu'], intraOpNumThreads: 1 });
  try {
    const [input, output] = [session.inputNames[0] ?? '', session.outputNames[0] ?? ''];
    const tensor = new Tensor('float64', rows, [rows.length / columns, columns]);
    const actual = (await session.run({ [input]: tensor }))[output]?.data;
    if (!(actual instanceof Float64Array) || actual.length !== outputs.length)
      throw new DomainError('TRAINING_FAILED', `the ONNX model does not answer ${outputs.length} float64`);
    const worst = outputs.reduce((max, value, i) => Math.max(max, difference(value, actual[i] ?? 0)), 0);
    if (!(worst <= RELATIVE_TOLERANCE))
      throw new DomainError('TRAINING_FAILED', `the ONNX model differs from the fitted model by ${worst}`);
    return worst;
  } finally {
    await session.release();
  }
}

function difference(expected: number, actual: number): number {
  if (Number.isNaN(expected)) return Number.isNaN(actual) ? 0 : Infinity;
  return Math.abs(actual - expected) / Math.max(RELATIVE_TOLERANCE, Math.abs(expected));
}
