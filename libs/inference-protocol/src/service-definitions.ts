import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** The repository's `proto/` folder; `src` and `dist` lie at the same depth, in a checkout and in an image. */
const PROTO_ROOT = fileURLToPath(new URL('../../../proto', import.meta.url));

const LOAD_OPTIONS = {
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
  objects: true,
  oneofs: true,
  includeDirs: [PROTO_ROOT],
};

function loadService(file: string, name: string): ServiceDefinition {
  let node: unknown = loadPackageDefinition(loadSync(file, LOAD_OPTIONS));
  for (const part of name.split('.')) node = (node as Record<string, unknown>)[part];
  const { service } = node as { service?: ServiceDefinition };
  if (!service) throw new Error(`${file} does not define the service ${name}`);
  return service;
}

/** `sextant.inference.v1.Decisions`. Bytes arrive as Buffer, 64-bit integers as number, an absent message as null. */
export const decisionsService = loadService(
  'sextant/inference/v1/decisions.proto',
  'sextant.inference.v1.Decisions',
);

/** `inference.GRPCInferenceService`, the Open Inference Protocol. */
export const openInferenceService = loadService(
  'inference/v2/grpc_service.proto',
  'inference.GRPCInferenceService',
);

/** `grpc.health.v1.Health`. */
export const healthService = loadService('grpc/health/v1/health.proto', 'grpc.health.v1.Health');

/** `sextant.monitoring.v1.Monitoring`. */
export const monitoringService = loadService(
  'sextant/monitoring/v1/monitoring.proto',
  'sextant.monitoring.v1.Monitoring',
);
