import type { Manifest } from '@sextant/artefacts';
import type { BatchLane } from '../scheduling/batch-lane.js';
import type { TensorSpec } from '../tensors/tensor.js';
import type { PreparedTask } from './prepared-task.js';

/** One version of one model, loaded on every thread and open for calls. */
export interface ServedModel {
  /** `<model>@<version>/<load>`, unique in the process */
  key: string;
  model: string;
  version: string;
  manifest: Manifest;
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  score: BatchLane;
  /** null where the artefact brings no explainer */
  explain: BatchLane | null;
  task: PreparedTask;
}
