import type { ServedBy } from '@sextant/inference-protocol';
import type { ServedModel } from '../models/served-model.js';
import { DEVICE_OF } from '../onnx/providers.js';
import type { RowsResult } from '../scheduling/rows-result.js';

/** Times and size of the batches that carried a call's rows; the largest where there were several. */
export function servedBy({ model, version, trainedAt, provider }: ServedModel, result: RowsResult): ServedBy {
  const { queueMs, computeMs, batchRows } = result;
  return {
    model,
    version,
    device: DEVICE_OF[provider],
    queueMs,
    computeMs,
    batchSize: batchRows,
    trainedAt,
  };
}
