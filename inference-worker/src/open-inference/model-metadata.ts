import type { ServedModel } from '../models/served-model.js';
import { DEVICE_OF, type ProviderAttempt } from '../onnx/providers.js';
import type { TensorSpec } from '../tensors/tensor.js';
import type { ModelMetadataResponse, TensorMetadata } from './infer-messages.js';

/** Extensions of the protocol that are offered, by Triton's names. */
const EXTENSIONS = ['model_repository', 'statistics'];

/** What the protocol tells of the server, the same over gRPC and HTTP. */
export function serverMetadata(version: string): { name: string; version: string; extensions: string[] } {
  return { name: 'sextant-inference-worker', version, extensions: [...EXTENSIONS] };
}

/** What the protocol tells of a model, the same over gRPC and HTTP. @param versions  all that can be called */
export function modelMetadata(
  { model, task, trainedAt, provider, attempts, inputs, outputs }: ServedModel,
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
    properties: {
      task: task.task,
      trained_at: trainedAt,
      device: DEVICE_OF[provider],
      ...failedProviders(attempts),
    },
  };
}

/** Why the providers that the configuration prefers do not serve the model; nothing where the first one does. */
function failedProviders(attempts: readonly ProviderAttempt[]): Record<string, string> {
  if (attempts.length === 0) return {};
  return { failed_providers: attempts.map(({ provider, failure }) => `${provider}: ${failure}`).join('; ') };
}
