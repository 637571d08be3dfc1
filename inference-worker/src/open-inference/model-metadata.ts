import type { ServedModel } from '../models/served-model.js';
import { DEVICE_OF } from '../onnx/providers.js';
import type { TensorSpec } from '../tensors/tensor.js';
import type { ModelMetadataResponse, TensorMetadata } from './infer-messages.js';

/** Extensions of the protocol that are offered, by Triton's names. */
const EXTENSIONS = ['statistics'];

/** What the protocol tells of the server, the same over gRPC and HTTP. */
export function serverMetadata(version: string): { name: string; version: string; extensions: string[] } {
  return { name: 'sextant-inference-worker', version, extensions: [...EXTENSIONS] };
}

/** What the protocol tells of a model, the same over gRPC and HTTP. @param versions  all that can be called */
export function modelMetadata(
  { model, task, trainedAt, provider, inputs, outputs }: ServedModel,
  versions: string[],
): ModelMetadataResponse {
  const describe = ({ name, datatype, shape }: TensorSpec): TensorMetadata => ({
    name,
    datatype,
    shape: [...shape],
  });
  return {
    name: model,
    versions,
    platform: 'onnxruntime_onnx',
    inputs: inputs.map(describe),
    outputs: outputs.map(describe),
    properties: { task: task.task, trained_at: trainedAt, device: DEVICE_OF[provider] },
  };
}
