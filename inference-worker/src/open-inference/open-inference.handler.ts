import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ModelCatalogue } from '../models/model-catalogue.js';
import type { ModelControl } from '../models/model-control.js';
import type { ModelRunner } from '../models/model-runner.js';
import type { WorkerLifecycle } from '../operations/worker-lifecycle.js';
import { type HandlerParts, unaryHandler } from '../transport/unary.handler.js';
import { modelInferHandler } from './model-infer.handler.js';
import { modelMetadata, serverMetadata } from './model-metadata.js';
import { repositoryHandlers } from './repository.handler.js';
import { statisticsHandlers } from './statistics.handler.js';

export interface OpenInferenceParts extends HandlerParts {
  catalogue: ModelCatalogue;
  runner: ModelRunner;
  control: ModelControl;
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
    ServerMetadata: unaryHandler(parts, 'ServerMetadata', () => serverMetadata(serverVersion)),
    ModelMetadata: unaryHandler(parts, 'ModelMetadata', ({ name, version }: NamedModel, context) =>
      parts.runner.with({ model: name, version }, context, async (served) =>
        modelMetadata(served, catalogue.versionsOf(name)),
      ),
    ),
    ModelInfer: modelInferHandler(parts, parts.runner),
    ...statisticsHandlers(parts),
    ...repositoryHandlers(parts),
  };
}
