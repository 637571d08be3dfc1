import type { EvaluationReport } from '@sextant/training/evaluation';

/** One evaluation on one public data set, and what it has to reach. */
export interface BarRun {
  /** Folder of the data set. */
  dataset: string;
  /** e.g. `lead propensity` */
  task: string;
  /** The same call as the command line makes: a mapping of files and columns, and nothing else about the data. */
  evaluate: (folder: string) => Promise<EvaluationReport>;
  bars: Bar[];
}

/** A figure to reach: of a metric of the report, or read from it. */
export interface Bar {
  metric: string;
  /** `at-least` for gains, `at-most` for losses. */
  sense: 'at-least' | 'at-most';
  bar: number;
  /** For a figure that is no metric of the report, e.g. whether a leak was named (1 or 0). */
  read?: (report: EvaluationReport) => { value: number; low?: number; high?: number };
}
