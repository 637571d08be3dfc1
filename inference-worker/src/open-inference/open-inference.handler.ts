import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
import type { ModelCatalogue } from '../models/model-catalogue.js';
import type { ModelRunner } from '../models/model-runner.js';
import type { ServedModel } from '../models/served-model.js';
import { DEVICE_OF } from '../onnx/providers.js';
import type { WorkerLifecycle } from '../operations/worker-lifecycle.js';
import type { RowsResult } from '../scheduling/rows-result.js';
import { bytesOfRows, type TensorArray, type TensorSpec } from '../tensors/tensor.js';
import type { CallContext } from '../transport/call-context.js';
import { type HandlerParts, unaryHandler } from '../transport/unary.handler.js';
import { readInputs } from './infer-inputs.js';
import type {
  ModelInferRequest,
  ModelInferResponse,
  ModelMetadataResponse,
  TensorMetadata,
} from './infer-messages.js';

export interface OpenInferenceParts extends HandlerParts {
  catalogue: ModelCatalogue;
  runner: ModelRunner;
  lifecycle: WorkerLifecycle;
  serverVersion: string;
}

interface NamedModel {
  name: string;
  version: string;
}

/** `inference.GRPCInferenceService`: the Open Inference Protocol over the same models and queues as the decisions. */
export function openInferenceHandlers(parts: OpenInferenceParts): UntypedServiceImplementation {
  const { catalogue, lifecycle, serverVersion } = parts;
  return {
    ServerLive: unaryHandler(parts, 'ServerLive', () => ({ live: true })),
    ServerReady: unaryHandler(parts, 'ServerReady', () => ({ ready: lifecycle.state === 'ready' })),
    ModelReady: unaryHandler(parts, 'ModelReady', ({ name, version }: NamedModel) => ({
      ready: lifecycle.state === 'ready' && catalogue.findSlot(name, version) !== undefined,
    })),
    ServerMetadata: unaryHandler(parts, 'ServerMetadata', () => ({
      name: 'sextant-inference-worker',
      version: serverVersion,
      extensions: [],
    })),
    ModelMetadata: unaryHandler(parts, 'ModelMetadata', ({ name, version }: NamedModel, context) =>
      parts.runner.with({ model: name, version }, context, async (served) =>
        metadataOf(served, catalogue.versionsOf(name)),
      ),
    ),
    ModelInfer: unaryHandler(parts, 'ModelInfer', (request: ModelInferRequest, context) =>
      infer(parts.runner, request, context),
    ),
  };
}

function infer(
  runner: ModelRunner,
  request: ModelInferRequest,
  context: CallContext,
): Promise<ModelInferResponse> {
  const wanted = { model: request.modelName, version: request.modelVersion, routingKey: request.id };
  return runner.with(wanted, context, async (served) => {
    const outputs = wantedOutputs(request, served);
    const rows = readInputs(request, served.inputs, (count) => runner.assertRowCount(count, 'inputs'));
    const result = await runner.run(served.score, rows, context);
    return {
      modelName: served.model,
      modelVersion: served.version,
      id: request.id,
      outputs: outputs.map(({ spec }) => ({
        name: spec.name,
        datatype: spec.datatype,
        shape: [rows.rows, ...spec.rowShape],
      })),
      rawOutputContents: outputs.map(({ spec, position }) =>
        outputBytes(result, position, { spec, rows: rows.rows }),
      ),
    };
  });
}

interface WantedOutput {
  spec: TensorSpec;
  position: number;
}

function wantedOutputs(request: ModelInferRequest, served: ServedModel): WantedOutput[] {
  const all = served.outputs.map((spec, position) => ({ spec, position }));
  if (request.outputs.length === 0) return all;
  return request.outputs.map(({ name }, i) => {
    const found = all.find(({ spec }) => spec.name === name);
    if (found) return found;
    const known = served.outputs.map((spec) => spec.name).join(', ');
    const path = `outputs[${i}].name`;
    throw new DomainError('TENSOR_MISMATCH', `${path}: "${name}" is no output; the model gives ${known}`, {
      path,
    });
  });
}

function outputBytes(
  result: RowsResult,
  position: number,
  { spec, rows }: { spec: TensorSpec; rows: number },
): Buffer {
  return bytesOfRows(result.outputs[position] as TensorArray, spec, 0, rows);
}

function metadataOf(
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
