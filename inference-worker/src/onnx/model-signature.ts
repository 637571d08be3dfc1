import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { RuntimeSession } from './runtime-session.js';
import { type Datatype, DATATYPES } from '@sextant/artefacts';
import { type TensorSpec, tensorSpec } from '../tensors/tensor.js';

/** ONNX Runtime's name of each element type. */
export const ORT_TYPE = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<Datatype, Tensor.Type>;

export interface Signature {
  inputs: TensorSpec[];
  outputs: TensorSpec[];
}

/** @throws Error for a value that is no tensor or of a type that the protocol does not know */
export function signatureOf(session: RuntimeSession): Signature {
  return {
    inputs: session.inputMetadata.map(specOf),
    outputs: session.outputMetadata.map(specOf),
  };
}

function specOf(value: InferenceSession.ValueMetadata): TensorSpec {
  if (!value.isTensor)
    throw new Error(`"${value.name}" is a sequence, map or optional; only tensors are served`);
  const datatype = DATATYPES.find((each) => ORT_TYPE[each] === value.type);
  if (!datatype)
    throw new Error(`"${value.name}" is of type ${value.type}, which the protocol does not know`);
  const shape = value.shape.map((size) => (typeof size === 'number' && size >= 0 ? size : -1));
  return tensorSpec({ name: value.name, datatype, shape });
}

/**
 * @param role  `input` or `output`
 * @throws Error naming the first tensor in which the file does not fit its manifest
 */
export function assertSignature(
  role: string,
  found: readonly TensorSpec[],
  wanted: readonly TensorSpec[],
): void {
  const names = found.map(({ name }) => name);
  if (names.length !== wanted.length || wanted.some(({ name }) => !names.includes(name))) {
    const manifests = wanted.map(({ name }) => name);
    throw new Error(
      `the graph's ${role}s are ${names.join(', ')}, the manifest's are ${manifests.join(', ')}`,
    );
  }
  for (const spec of wanted) {
    const actual = found.find(({ name }) => name === spec.name);
    if (!actual || fits(actual, spec)) continue;
    throw new Error(
      `${role} "${spec.name}" is ${told(actual)} in the graph and ${told(spec)} in the manifest`,
    );
  }
}

/** A free dimension of the graph takes any size; a graph may also leave an output's shape open. */
function fits(actual: TensorSpec, wanted: TensorSpec): boolean {
  if (actual.datatype !== wanted.datatype) return false;
  if (actual.shape.length === 0) return true;
  return (
    actual.shape.length === wanted.shape.length &&
    actual.shape.every((size, i) => size === -1 || size === wanted.shape[i])
  );
}

function told({ datatype, shape }: TensorSpec): string {
  return `${datatype} [${shape.join(', ')}]`;
}
