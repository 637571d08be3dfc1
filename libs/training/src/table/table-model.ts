import type { ScoreSpec, TableEncoding } from '@sextant/artefacts';
import type { ColumnTable } from '@sextant/learning';
import type { ExplainedModel } from '@sextant/learning/explain';
import type { Calibration } from '@sextant/learning/calibration';
import type { OnnxModel } from '@sextant/onnx';
import type { TableExamples } from './table-examples.js';

/** A model fitted on some rows. */
export interface FittedTableModel {
  encoding: TableEncoding;
  /** Log-odds before calibration, shape [rows]. */
  margins(table: ColumnTable): Float64Array;
  explained: ExplainedModel;
  toOnnx(calibration: Calibration): OnnxModel;
}

/** A way to fit such models: what is tuned on held-out rows, then fitted again on more of them. */
export interface TableFamily {
  name: ScoreSpec['family'];
  tune(fit: TableExamples, held: TableExamples): Promise<TunedTableFamily>;
}

export interface TunedTableFamily {
  name: ScoreSpec['family'];
  /** The chosen settings in words, for the card. */
  settings: string;
  fit(data: TableExamples): Promise<FittedTableModel>;
}
