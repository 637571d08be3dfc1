import type { TreeEnsemble } from '@sextant/learning';
import { isGentle } from './gpu-head.js';
import type { OnnxModel } from './onnx-model.js';
import type { OutputHead } from './output-head.js';
import { writeTreeModel } from './tree-model.js';
import { writeTreeTensorModel } from './tree-tensor-model.js';

/**
 * Both forms of a tree model: the operator for CPUs and, where the ensemble is not too large and its calibration not too steep for it,
 * tensors for GPUs.
 */
export function writeTreeForms(ensemble: TreeEnsemble, columns: number, head: OutputHead): OnnxModel {
  const tensorForm = isGentle(head) ? writeTreeTensorModel(ensemble, columns, head) : null;
  const model = writeTreeModel(ensemble, columns, head);
  return tensorForm === null ? model : { ...model, gpuBytes: tensorForm.bytes };
}
