import type { DecisionSource } from '../decisions/programs/decision-model.js';
import type { HourCounts } from '../monitoring/hour-counts.js';
import type { Tensor, TensorSpec } from '../tensors/tensor.js';
import type { Provider, ProviderAttempt, ProviderPlan } from './providers.js';

/** `score` runs the ONNX graph; `decide` answers decisions whole, and `explain` does so with attributions, which are slow. */
export type Program = 'score' | 'decide' | 'explain';

/** What a thread needs to hold a model. */
export interface LoadedModel {
  /** `<model>@<version>/<load>`, unique in the process */
  key: string;
  onnx: Uint8Array;
  /** the same function in operations that a GPU runs; absent where `onnx` serves both */
  gpuOnnx?: Uint8Array;
  /** null: as the file says */
  inputs: TensorSpec[] | null;
  /** null: as the file says */
  outputs: TensorSpec[] | null;
  /** rows of the runs that warm a model up which is batched by rows */
  warmUpRows: number[];
  /** the explainer's JSON, for models that can be explained */
  explainer: string | null;
  /** what its decisions need besides; absent for a model of which nothing but the signature is known */
  decisions?: DecisionSource;
  /** where it may run; what is absent is as the pool is configured */
  plan?: { providers?: readonly Provider[] | undefined; strict?: boolean | undefined };
}

/** A warm run. */
export interface MeasuredRun {
  rows: number;
  computeMs: number;
}

/** What became of a model that was opened. */
export interface OpenedSession {
  provider: Provider;
  /** the providers before it that could not serve the model */
  attempts: ProviderAttempt[];
  /** the signature it is served with, as the manifest or else the file has it */
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  /** of its warm-up, by batch size; empty where its shapes are not known */
  runs: MeasuredRun[];
  /** opening and warming up, milliseconds */
  loadMs: number;
  /** growth of the process while it was opened, at least the size of the file; an estimate, bytes */
  memoryBytes: number;
}

export interface Job {
  key: string;
  program: Program;
  rows: number;
  inputs: Tensor[];
}

export interface JobResult {
  /** one tensor an output; of decisions what `packAnswers` made */
  outputs: Tensor[];
  computeMs: number;
  /** the buffers of the job's inputs, free to be used again */
  returned?: ArrayBuffer[];
}

export type ThreadCommand =
  | { kind: 'load'; model: LoadedModel; plan: ProviderPlan }
  | { kind: 'unload'; key: string }
  | { kind: 'run'; job: Job }
  /** hand over what was counted since the last time */
  | { kind: 'count' }
  | { kind: 'stop' };

export type ThreadRequest = { id: number } & ThreadCommand;

export type ThreadAnswer =
  | { id: number; result: JobResult }
  | { id: number; opened: OpenedSession }
  /** `counts`: what nobody was told of yet, of what is unloaded or of everything */
  | { id: number; done: true; counts?: HourCounts[] }
  | { id: number; refused: readonly ProviderAttempt[] }
  /** `lost` names the provider that runs nothing any more */
  | { id: number; failure: string; lost?: Provider };
