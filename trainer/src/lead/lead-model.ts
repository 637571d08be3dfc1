import type { ScoreSpec, TableEncoding } from '@sextant/artefacts';
import type { ColumnTable, ExplainedModel, Platt } from '@sextant/learning';
import type { OnnxModel } from '@sextant/onnx';
import type { LeadData } from './lead-example.js';

/** A model fitted on some rows. */
export interface FittedLeadModel {
  encoding: TableEncoding;
  /** Log-odds before calibration, shape [rows]. */
  margins(table: ColumnTable): Float64Array;
  explained: ExplainedModel;
  toOnnx(calibration: Platt): OnnxModel;
}

/** A way to fit lead models: what is tuned on held-out rows, then fitted again on more of them. */
export interface LeadFamily {
  name: ScoreSpec['family'];
  tune(fit: LeadData, held: LeadData): Promise<TunedLeadFamily>;
}

export interface TunedLeadFamily {
  name: ScoreSpec['family'];
  /** The chosen settings in words, for the card. */
  settings: string;
  fit(data: LeadData): Promise<FittedLeadModel>;
}
