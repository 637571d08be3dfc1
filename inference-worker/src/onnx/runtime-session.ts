import { createRequire } from 'node:module';
import { env, InferenceSession, type OnnxValue } from 'onnxruntime-node';

// Failures come back as errors and are reported from there; ONNX Runtime would print each a second time.
env.logLevel = 'fatal';

export type Values = Record<string, OnnxValue>;

/** A loaded graph. Its run blocks the thread that calls it, whether it answers at once or by a promise. */
export interface RuntimeSession {
  readonly inputMetadata: readonly InferenceSession.ValueMetadata[];
  readonly outputMetadata: readonly InferenceSession.ValueMetadata[];
  /** a promise only where the binding could not be reached */
  run(feeds: Values): Values | Promise<Values>;
  release(): Promise<void>;
}

/** What onnxruntime-node 1.30 keeps behind its public session. */
interface Binding {
  InferenceSession: new () => NativeSession;
}
interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(feeds: Values, fetches: Record<string, null>, options: object): Values;
  dispose(): void;
  readonly inputMetadata: readonly NativeMetadata[];
  readonly outputMetadata: readonly NativeMetadata[];
}
interface NativeMetadata {
  name: string;
  isTensor: boolean;
  /** number of ONNX's TensorProto.DataType */
  type: number;
  shape: readonly number[];
}

/** By the number of ONNX's TensorProto.DataType. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
};

/**
 * The binding under onnxruntime-node's public session, undefined where it is not where version 1.30 has it. The public `run`
 * waits a whole turn of the event loop before each run and checks what was checked here already (`bench/inference` prints both).
 */
const binding = findBinding();

function findBinding(): Binding | undefined {
  try {
    const found = createRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as {
      binding?: Binding;
      initOrt?: () => void;
    };
    if (typeof found.initOrt !== 'function' || typeof found.binding?.InferenceSession !== 'function')
      return undefined;
    found.initOrt();
    return found.binding;
  } catch {
    return undefined;
  }
}

/** @throws Error when the file is no graph that the providers of the options can run */
export async function openRuntimeSession(
  file: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<RuntimeSession> {
  return binding ? openNative(binding, file, options) : InferenceSession.create(file, options);
}

function openNative(
  { InferenceSession: Native }: Binding,
  file: Uint8Array,
  options: InferenceSession.SessionOptions,
): RuntimeSession {
  const session = new Native();
  session.loadModel(file.buffer, file.byteOffset, file.byteLength, options);
  const outputMetadata = session.outputMetadata.map(metadataOf);
  const everyOutput = Object.fromEntries(outputMetadata.map(({ name }) => [name, null]));
  const runOptions = {};
  return {
    inputMetadata: session.inputMetadata.map(metadataOf),
    outputMetadata,
    run: (feeds) => session.run(feeds, { ...everyOutput }, runOptions),
    release: async () => session.dispose(),
  };
}

function metadataOf({ name, isTensor, type, shape }: NativeMetadata): InferenceSession.ValueMetadata {
  if (!isTensor) return { name, isTensor };
  const typeName = TYPE_NAMES[type] ?? `number ${type}`;
  return { name, isTensor, type: typeName, shape } as InferenceSession.ValueMetadata;
}
