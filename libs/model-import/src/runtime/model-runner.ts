import { type AdaptedModel, ModelRefused } from '@sextant/onnx';
import type { InferenceSession as Session } from 'onnxruntime-node';

const LOG_FATAL_ONLY = 4;

export function openOnCpu(runtime: typeof Session, bytes: Uint8Array): Promise<Session> {
  return runtime.create(bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: LOG_FATAL_ONLY,
    enableCpuMemArena: false,
  });
}

export type Run = (cells: Float32Array) => Promise<Float32Array>;

export function runnerOf(session: Session, { inputs, outputs }: AdaptedModel, columns: number): Run {
  const [input, output] = [inputs[0]?.name ?? '', outputs[0]?.name ?? ''];
  return async (cells) => {
    const { Tensor } = await import('onnxruntime-node');
    const rows = cells.length / columns;
    const answer = (await session.run({ [input]: new Tensor('float32', cells, [rows, columns]) }))[output];
    const data = answer?.data;
    if (!(data instanceof Float32Array) || data.length !== rows) {
      throw new ModelRefused(
        'OUTPUT_MISMATCH',
        `expected one number a row, ${rows} rows, found [${answer?.dims.join(', ')}]: name another output or class`,
      );
    }
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new ModelRefused(
        'OUTPUT_NOT_FINITE',
        `row ${bad} of the sample gives ${data[bad]}: give columns a fill where the model knows no missing values`,
      );
    }
    return data;
  };
}
