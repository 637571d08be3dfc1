import type { EvaluationReport } from '@sextant/training/evaluation';
import { reportTable } from './report-table.js';

/** The report as one self-contained HTML page. */
export function reportPage(report: EvaluationReport): string {
  return `<!doctype html><meta charset="utf-8"><title>${report.task}</title><pre>${escape(reportTable(report))}</pre>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
