import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Provider } from './providers.js';

const NOT_LOADED = 'Failed to load shared library';

/**
 * ONNX Runtime says that it cannot load a provider's library and prints the reason to a log of its own; this asks the system's loader.
 *
 * @returns the failure with what is missing; the failure as it is where it is about something else
 */
export function explainMissingLibrary(provider: Provider, failure: string): string {
  if (!failure.includes(NOT_LOADED)) return failure;
  const name = `${process.platform === 'win32' ? '' : 'lib'}onnxruntime_providers_${provider}${suffix()}`;
  const file = join(binaryFolder(), name);
  if (!existsSync(file)) {
    return `${NOT_LOADED}: ${name} is not beside ONNX Runtime's own library (docker/inference-worker.gpu.Dockerfile puts it there)`;
  }
  try {
    process.dlopen({ exports: {} }, file);
    return failure;
  } catch (error) {
    return `${NOT_LOADED}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`;
  }
}

function binaryFolder(): string {
  const packageFile = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  return join(dirname(packageFile), 'bin', 'napi-v6', process.platform, process.arch);
}

function suffix(): string {
  if (process.platform === 'win32') return '.dll';
  return process.platform === 'darwin' ? '.dylib' : '.so';
}
