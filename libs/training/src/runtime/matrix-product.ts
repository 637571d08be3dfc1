import { DomainError } from '@sextant/domain';
import { type Matrix, type MatrixProduct, multiply } from '@sextant/learning/linear-algebra';
import { writeMatrixProduct } from '@sextant/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Below this many multiply-adds a call of the runtime costs more than the product itself. */
const SMALL = 20_000;

/** ONNX Runtime's own matrix product in float64; `release` gives its memory back. */
export interface RuntimeProduct {
  product: MatrixProduct;
  release: () => Promise<void>;
}

/**
 * Opens the product on the CPU provider.
 *
 * @param threads  threads of one product; 1 when absent
 */
export async function openMatrixProduct(threads = 1): Promise<RuntimeProduct> {
  const session = await InferenceSession.create(writeMatrixProduct(), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    enableMemPattern: false,
  });
  return { product: productOf(session), release: () => session.release() };
}

function productOf(session: InferenceSession): MatrixProduct {
  return async (left, right) => {
    if (left.columns !== right.rows || left.rows * left.columns * right.columns < SMALL)
      return multiply(left, right);
    const result = await session.run({ left: tensorOf(left), right: tensorOf(right) });
    const values = result['product']?.data;
    if (!(values instanceof Float64Array)) {
      throw new DomainError(
        'TRAINING_FAILED',
        'ONNX Runtime gave no float64 product of two float64 matrices',
      );
    }
    return { values, rows: left.rows, columns: right.columns };
  };
}

function tensorOf({ values, rows, columns }: Matrix): Tensor {
  return new Tensor('float64', values, [rows, columns]);
}
