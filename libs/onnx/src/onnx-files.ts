import type { OnnxModel, OnnxTensor } from './onnx-model.js';

export const ONNX_FILE = 'model.onnx';
export const GPU_ONNX_FILE = 'model.gpu.onnx';

/** The files of an artefact that hold the model, by name. */
export function onnxFiles({ bytes, gpuBytes }: OnnxModel): [name: string, bytes: Uint8Array][] {
  const files: [string, Uint8Array][] = [[ONNX_FILE, bytes]];
  if (gpuBytes !== undefined) files.push([GPU_ONNX_FILE, gpuBytes]);
  return files;
}

/** What the manifest's `onnx` field says of them. */
export function onnxDescription({ opset, inputs, outputs, gpuBytes }: OnnxModel): {
  opset: number;
  inputs: OnnxTensor[];
  outputs: OnnxTensor[];
  gpuFile?: string;
} {
  const described = { opset, inputs, outputs };
  return gpuBytes === undefined ? described : { ...described, gpuFile: GPU_ONNX_FILE };
}
