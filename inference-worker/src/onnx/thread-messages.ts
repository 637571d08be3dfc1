import type { Tensor, TensorSpec } from '../tensors/tensor.js';

/** `score` runs the ONNX graph; `explain` attributes the model's output of each row to its raw columns. */
export type Program = 'score' | 'explain';

/** What a thread needs to hold a model. */
export interface LoadedModel {
  /** `<model>@<version>/<load>`, unique in the process */
  key: string;
  onnx: Uint8Array;
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  warmUpRows: number[];
  /** the explainer's JSON, for models that can be explained */
  explainer: string | null;
}

export interface Job {
  key: string;
  program: Program;
  rows: number;
  inputs: Tensor[];
}

export interface JobResult {
  /** one tensor an output; for `explain` one float64 tensor [rows, columns + 1], the base value first */
  outputs: Tensor[];
  computeMs: number;
}

export type ThreadCommand =
  | { kind: 'load'; model: LoadedModel }
  | { kind: 'unload'; key: string }
  | { kind: 'run'; job: Job }
  | { kind: 'stop' };

export type ThreadRequest = { id: number } & ThreadCommand;

export type ThreadAnswer = { id: number; result: JobResult } | { id: number; failure: string };
