import type { ServedBy } from '@sextant/inference-protocol';
import type { ServedModel } from '../models/served-model.js';
import type { RowsResult } from '../scheduling/rows-result.js';

/** Times and size of the batches that carried a call's rows; the largest where there were several. */
export function servedBy({ model, version, trainedAt }: ServedModel, result: RowsResult): ServedBy {
  const { queueMs, computeMs, batchRows } = result;
  return {
    model,
    version,
    device: 'CPU',
    queueMs,
    computeMs,
    batchSize: batchRows,
    trainedAt,
  };
}
