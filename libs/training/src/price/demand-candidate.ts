import type { TableEncoding } from '@sextant/artefacts';
import {
  type ColumnTable,
  type DemandEffects,
  type DemandFamily,
  type DemandModel,
  type DemandRow,
  demandTable,
  encodeTable,
  fitDemandModel,
  predictLogUnits,
} from '@sextant/learning';
import { type ExplainedModel } from '@sextant/learning/explain';
import { type OnnxModel, writeLinearModel } from '@sextant/onnx';

/** A demand model that can be measured, explained and written. */
export interface FittedDemand {
  encoding: TableEncoding;
  /** Log units of every row of a raw table, shape [rows]. */
  logUnits(table: ColumnTable): Float64Array;
  explained: ExplainedModel;
  toOnnx(): OnnxModel;
}

/** One way to model demand, with everything but its fit decided. */
export interface DemandCandidate {
  name: 'log-log' | 'lightgbm';
  /** `falling`: its curve may move prices. `free`: it says what sells at the prices that occur, and nothing about moving them. */
  shape: 'falling' | 'free';
  /** For the model card. */
  settings: string;
  fit(rows: readonly DemandRow[]): FittedDemand | Promise<FittedDemand>;
}

/** The log-log regression with the given effects by product. */
export function logLogCandidate(
  family: DemandFamily,
  effects: DemandEffects,
  settings: string,
): DemandCandidate {
  return {
    name: 'log-log',
    shape: 'falling',
    settings,
    fit: (rows) => {
      const model = fitDemandModel(rows, family, effects);
      return {
        encoding: model.encoding,
        logUnits: (table) => predictLogUnits(model, table),
        explained: { method: 'linear', model, means: meansOf(model, rows) },
        toOnnx: () => writeLinearModel(model, { kind: 'log-units' }),
      };
    },
  };
}

/** Mean of each encoded column over the training rows: where the explanation starts from. */
function meansOf({ encoding }: DemandModel, rows: readonly DemandRow[]): Float64Array {
  const encoded = encodeTable(encoding, demandTable(rows));
  const width = encoding.features.length;
  const means = new Float64Array(width);
  for (const [at, value] of encoded.entries())
    means[at % width] = (means[at % width] ?? 0) + value / rows.length;
  return means;
}
