import type { InferenceSession, OnnxValue } from 'onnxruntime-node';
import {
  allocateArray,
  elementsOf,
  isBatchable,
  type Tensor,
  type TensorArray,
  type TensorData,
  type TensorSpec,
} from '../tensors/tensor.js';
import { explainMissingLibrary } from './missing-library.js';
import { assertSignature, ORT_TYPE, signatureOf } from './model-signature.js';
import {
  failureText,
  NoProviderError,
  type Provider,
  type ProviderAttempt,
  type ProviderPlan,
} from './providers.js';
import { openRuntimeSession, type RuntimeSession, type Values } from './runtime-session.js';
import type { Job, JobResult, LoadedModel, MeasuredRun } from './thread-messages.js';

const LOG_FATAL_ONLY = 4;

interface Parts {
  session: RuntimeSession;
  provider: Provider;
  attempts: ProviderAttempt[];
  inputs: TensorSpec[];
  outputs: TensorSpec[];
}

/** A model's ONNX session on one provider. `run` blocks the thread that calls it while the model computes. */
export class ModelSession {
  readonly provider: Provider;
  /** the providers before it that could not serve the model */
  readonly attempts: ProviderAttempt[];
  readonly inputs: TensorSpec[];
  readonly outputs: TensorSpec[];
  /** of the warm-up, by batch size */
  readonly runs: MeasuredRun[] = [];
  private readonly session: RuntimeSession;
  private readonly isBatchable: boolean;

  private constructor({ session, provider, attempts, inputs, outputs }: Parts) {
    this.session = session;
    this.provider = provider;
    this.attempts = attempts;
    this.inputs = inputs;
    this.outputs = outputs;
    this.isBatchable = isBatchable([...inputs, ...outputs]);
  }

  /**
   * Opens the model with the first provider of the plan that can and warms it up. Each provider is tried alone: ONNX Runtime
   * refuses a list whose first provider cannot be loaded instead of going on with the next.
   *
   * @throws NoProviderError with the failure of each
   */
  static async open(model: LoadedModel, plan: ProviderPlan): Promise<ModelSession> {
    const attempts: ProviderAttempt[] = [];
    for (const provider of plan.providers) {
      try {
        return await ModelSession.openOn(provider, model, { attempts, strict: plan.strict });
      } catch (error) {
        attempts.push({ provider, failure: explainMissingLibrary(provider, failureText(error)) });
      }
    }
    throw new NoProviderError(attempts);
  }

  private static async openOn(
    provider: Provider,
    model: LoadedModel,
    { attempts, strict }: { attempts: ProviderAttempt[]; strict: boolean },
  ): Promise<ModelSession> {
    const isGpu = provider !== 'cpu';
    const file = isGpu ? (model.gpuOnnx ?? model.onnx) : model.onnx;
    const session = await openRuntimeSession(unshared(file), optionsOf(provider, isGpu && strict));
    try {
      const found = signatureOf(session);
      if (model.inputs) assertSignature('input', found.inputs, model.inputs);
      if (model.outputs) assertSignature('output', found.outputs, model.outputs);
      const inputs = model.inputs ?? found.inputs;
      const outputs = model.outputs ?? found.outputs;
      const opened = new ModelSession({ session, provider, attempts, inputs, outputs });
      await opened.warmUp(model.warmUpRows);
      return opened;
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  /** @throws Error when the model cannot run the tensors or gives others than its signature says */
  async run({ rows, inputs }: Pick<Job, 'rows' | 'inputs'>): Promise<JobResult> {
    const feeds = this.feedsOf(inputs);
    const startedAt = performance.now();
    const answers = await this.session.run(feeds);
    const computeMs = performance.now() - startedAt;
    return { outputs: this.outputs.map((spec) => this.read(answers[spec.name], spec, rows)), computeMs };
  }

  private feedsOf(inputs: readonly Tensor[]): Values {
    const feeds: Values = {};
    for (const [i, { name, datatype }] of this.inputs.entries()) {
      const tensor = inputs[i];
      if (!tensor) throw new Error(`input "${name}" is missing`);
      feeds[name] = feedOf(ORT_TYPE[datatype], tensor);
    }
    return feeds;
  }

  /** Whether the provider still runs the model; true where no run is known that must succeed. */
  async isAlive(): Promise<boolean> {
    const inputs = this.sampleInputs(1);
    if (inputs === null) return true;
    return this.run({ rows: 1, inputs }).then(
      () => true,
      () => false,
    );
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  /** @throws Error when a model of known shapes does not run */
  private async warmUp(rowCounts: readonly number[]): Promise<void> {
    const counts = this.isBatchable ? rowCounts : [1];
    for (const rows of counts) {
      const inputs = this.sampleInputs(rows);
      if (inputs === null) return;
      // The first run of a size allocates; the second is what callers will see.
      await this.run({ rows, inputs });
      const { computeMs } = await this.run({ rows, inputs });
      this.runs.push({ rows, computeMs });
    }
  }

  /** Zeros of the model's shapes; null where a shape is not known. */
  private sampleInputs(rows: number): Tensor[] | null {
    const dims = this.inputs.map(({ shape }) => (this.isBatchable ? [rows, ...shape.slice(1)] : shape));
    if (dims.some((each) => each.some((size) => size < 0))) return null;
    return this.inputs.map(({ datatype }, i) => ({
      data: zeros(datatype, elementsOf(dims[i] ?? [])),
      dims: dims[i] ?? [],
    }));
  }

  private read(value: OnnxValue | undefined, spec: TensorSpec, rows: number): Tensor {
    if (value === undefined) throw new Error(`the model gave no output "${spec.name}"`);
    const { type, dims, data } = value as unknown as { type: string; dims: number[]; data: TensorData };
    const isFit = !this.isBatchable || (dims[0] === rows && data.length === rows * spec.width);
    if (type !== ORT_TYPE[spec.datatype] || !isFit) {
      const wanted = [this.isBatchable ? rows : '…', ...spec.rowShape].join(', ');
      throw new Error(
        `output "${spec.name}" is ${type} [${dims.join(', ')}], its signature says ${spec.datatype} [${wanted}]`,
      );
    }
    return { data: spec.datatype === 'FP16' ? bitsOf(data) : data, dims };
  }
}

/** The runtime takes no shared memory; the copy is made on the thread that opens the model. */
function unshared(file: Uint8Array): Uint8Array {
  return file.buffer instanceof SharedArrayBuffer ? new Uint8Array(file) : file;
}

function optionsOf(provider: Provider, everyNode: boolean): InferenceSession.SessionOptions {
  const options: InferenceSession.SessionOptions = {
    executionProviders: [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: LOG_FATAL_ONLY,
  };
  return everyNode ? { ...options, extra: { session: { disable_cpu_ep_fallback: '1' } } } : options;
}

/**
 * The plain fields that the binding reads. The Tensor class would make a Float16Array of FP16, which the binding does not know
 * (1.30), and costs a microsecond.
 */
function feedOf(type: string, { data, dims }: Tensor): OnnxValue {
  return { type, data, dims, location: 'cpu' } as unknown as OnnxValue;
}

/** FP16 comes as a Float16Array; its bits travel. */
function bitsOf(data: TensorData): TensorArray {
  const { buffer, byteOffset, length } = data as TensorArray;
  return new Uint16Array(buffer, byteOffset, length);
}

function zeros(datatype: TensorSpec['datatype'], elements: number): TensorData {
  return datatype === 'BYTES' ? new Array<string>(elements).fill('') : allocateArray(datatype, elements);
}
