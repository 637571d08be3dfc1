import type { Measured } from '@sextant/artefacts';

export type EvaluationTask =
  'table' | 'recommend' | 'sessions' | 'lifetime' | 'uplift' | 'price' | 'segments' | 'drift';

/** What an evaluation of one's own data says; the same for every task, so that one printer and one page show them all. */
export interface EvaluationReport {
  task: EvaluationTask;
  /** Rows read, before anything is left out. */
  rows: number;
  /** Rows (customers, sessions) that the metrics are measured on and that no choice has seen. */
  test: number;
  /** The model that the same data would be served from, with its settings, in words. */
  chosen: string;
  /** Why, with the figures of the validation rows. */
  because: string;
  /** On the test rows, by name, e.g. `auc`, `logLoss`, `ndcg@10`, `maeTransactions`. */
  metrics: Record<string, Measured>;
  /** The same metrics of what a team would have without the model, by the name of that baseline. */
  baselines: Record<string, Record<string, Measured>>;
  /** Columns that give the answer away, by name. */
  leaks: string[];
  warnings: string[];
  /** What is particular to the task, e.g. parameters, elasticities, the audit by group; plain JSON. */
  details: Record<string, unknown>;
  /** For the HTML page only, left out of the JSON. */
  plots: Plot[];
}

/** A chart of the HTML page. */
export interface Plot {
  title: string;
  kind: 'line' | 'bar';
  x: string;
  y: string;
  series: PlotSeries[];
}

export interface PlotSeries {
  name: string;
  /** [x, y]; x is a label in a bar chart. */
  points: [number | string, number][];
}
