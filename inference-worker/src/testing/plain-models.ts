import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openInferenceService } from '@sextant/inference-protocol';
import { node } from '@sextant/onnx';
import { aGraph } from './test-graphs.js';
import type { TestWorker } from './test-worker.js';

/** Version 1 gives x, version 2 gives −x, version 3 |x|. */
const OPERATORS = ['Identity', 'Neg', 'Abs'] as const;
export const signature = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1, 2] });

/** Puts a plain model into a repository, in one step as publishers do. */
export async function putPlain(
  root: string,
  model: string,
  version: number,
  bytes?: Uint8Array,
): Promise<void> {
  const operator = OPERATORS[version - 1] ?? 'Identity';
  const graph = bytes ?? aGraph([node(operator, 'x -> y')], [signature('x')], [signature('y')]);
  await mkdir(join(root, model, String(version)), { recursive: true });
  const path = join(root, model, String(version), 'model.onnx');
  await writeFile(`${path}.part`, graph);
  await rename(`${path}.part`, path);
}

export interface Answer {
  version: string;
  y: number[];
}

export async function infer(
  target: TestWorker,
  model: string,
  { version = '', id = '', x = [-1, 2] }: { version?: string; id?: string; x?: number[] } = {},
): Promise<Answer> {
  const answer = await target.call<{ modelVersion: string; rawOutputContents: Buffer[] }>(
    openInferenceService,
    'ModelInfer',
    {
      modelName: model,
      modelVersion: version,
      id,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [x.length / 2, 2] }],
      rawInputContents: [Buffer.from(Float32Array.from(x).buffer)],
    },
  );
  const bytes = answer.rawOutputContents[0] ?? Buffer.alloc(0);
  return { version: answer.modelVersion, y: x.map((_, i) => bytes.readFloatLE(4 * i)) };
}

export const metadata = (target: TestWorker, name: string, version = ''): Promise<{ versions: string[] }> =>
  target.call(openInferenceService, 'ModelMetadata', { name, version });
export const refusalsOf = async (
  target: TestWorker,
): Promise<{ model: string; version: number; reason: string }[]> =>
  (
    (await (await target.get('/models')).json()) as {
      refused: { model: string; version: number; reason: string }[];
    }
  ).refused;
