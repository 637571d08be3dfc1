import { InferenceSession, Tensor } from 'onnxruntime-node';

const SESSION = { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1 };

/** Values of an input that a training writes, and its shape. */
export interface InputTensor {
  values: Float32Array | Float64Array;
  dims: readonly number[];
}

/** A file of a version, run on one thread of this process to be measured; serving is the worker's. */
export class OpenedModel {
  private constructor(private readonly session: InferenceSession) {}

  static async open(onnx: Uint8Array): Promise<OpenedModel> {
    // A copy: files of a repository lie in memory that threads share, and the runtime takes none of that.
    return new OpenedModel(await InferenceSession.create(new Uint8Array(onnx), SESSION));
  }

  /**
   * @param input  row-major, of the only input
   * @returns      the first output, row-major; null where it is not of floats
   */
  async answer(
    input: Float32Array | Float64Array,
    rows: number,
  ): Promise<Float32Array | Float64Array | null> {
    const [name = '', output = ''] = [this.session.inputNames[0], this.session.outputNames[0]];
    const tensor = tensorOf({ values: input, dims: [rows, input.length / rows] });
    const data = (await this.session.run({ [name]: tensor }))[output]?.data;
    return data instanceof Float32Array || data instanceof Float64Array ? data : null;
  }

  /** Milliseconds of one run. */
  async time(inputs: ReadonlyMap<string, InputTensor>): Promise<number> {
    const feeds = Object.fromEntries([...inputs].map(([name, input]) => [name, tensorOf(input)]));
    const startedAt = performance.now();
    await this.session.run(feeds);
    return performance.now() - startedAt;
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}

function tensorOf({ values, dims }: InputTensor): Tensor {
  return values instanceof Float32Array
    ? new Tensor('float32', values, dims)
    : new Tensor('float64', values, dims);
}
