import type { Manifest } from '@sextant/artefacts';
import type { Provider, ProviderAttempt } from '../onnx/providers.js';
import type { BatchLane } from '../scheduling/batch-lane.js';
import type { TensorSpec } from '../tensors/tensor.js';
import type { Watching } from '../monitoring/counter-plan.js';
import type { PreparedTask } from './prepared-task.js';

/** One version of one model, loaded on every thread and open for calls. */
export interface ServedModel {
  /** `<model>@<version>/<load>`, unique in the process */
  key: string;
  model: string;
  version: string;
  /** null for a plain ONNX model, of which nothing is known but its signature */
  manifest: Manifest | null;
  /** RFC 3339; empty where nobody knows */
  trainedAt: string;
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  /** what it computes on now */
  readonly provider: Provider;
  /** the providers before it that could not serve the version */
  readonly attempts: ProviderAttempt[];
  score: BatchLane;
  /** null for a plain model, which answers no decisions */
  decide: BatchLane | null;
  /** decisions with attributions; null where the artefact brings no explainer */
  explain: BatchLane | null;
  task: PreparedTask;
  /** what is counted of its decisions, or why nothing is */
  watching: Watching;
  /** bytes that the version takes in memory, all threads together; an estimate */
  memoryBytes: number;
  /** never touched; see the loader */
  ballast: ArrayBuffer;
  loadMs: number;
}
