export type { EvaluationReport, EvaluationTask, Plot, PlotSeries } from './evaluation-report.js';
