import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
import type { IndexedVersion, ModelControl } from '../models/model-control.js';
import { type HandlerParts, unaryHandler } from '../transport/unary.handler.js';

interface ModelRequest {
  modelName: string;
  parameters?: Record<string, unknown>;
}

/** Triton's model repository extension. */
export function repositoryHandlers(
  parts: HandlerParts & { control: ModelControl },
): UntypedServiceImplementation {
  const { control } = parts;
  return {
    RepositoryIndex: unaryHandler(
      parts,
      'RepositoryIndex',
      async ({ ready }: { ready: boolean }): Promise<{ models: IndexedVersion[] }> => ({
        models: await control.index(ready),
      }),
    ),
    RepositoryModelLoad: unaryHandler(parts, 'RepositoryModelLoad', async (request: ModelRequest) => {
      assertParameters(request, []);
      await control.load(request.modelName);
      return {};
    }),
    RepositoryModelUnload: unaryHandler(parts, 'RepositoryModelUnload', async (request: ModelRequest) => {
      assertParameters(request, ['unload_dependents']);
      await control.unload(request.modelName);
      return {};
    }),
  };
}

/** Triton takes a configuration or whole files here; ours come from the repository, where their hashes prove them. */
function assertParameters({ parameters = {} }: ModelRequest, known: readonly string[]): void {
  const unknown = Object.keys(parameters).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const message = `parameters["${unknown}"] is not taken: files and configuration of a model come from the repository`;
  throw new DomainError('INVALID_INPUT', message, { path: 'parameters' });
}
