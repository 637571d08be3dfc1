import { join } from 'node:path';
import type { FairnessAudit } from '@sextant/learning/fairness';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { evaluateTableFile, type TableFlags } from '../evaluate/table.command.js';
import type { Bar, BarRun } from './bar.js';

const atLeast = (metric: string, bar: number): Bar => ({ metric, sense: 'at-least', bar });
const atMost = (metric: string, bar: number): Bar => ({ metric, sense: 'at-most', bar });
/** 1 where the report says it, else 0. */
const says = (metric: string, isSaid: (report: EvaluationReport) => boolean): Bar => ({
  metric,
  sense: 'at-least',
  bar: 1,
  read: (report) => ({ value: isSaid(report) ? 1 : 0 }),
});

const table =
  (csv: string, flags: Omit<TableFlags, 'csv'>) =>
  (folder: string): Promise<EvaluationReport> =>
    evaluateTableFile({
      ...flags,
      csv: join(folder, csv),
      ...(flags.testCsv !== undefined && { testCsv: join(folder, flags.testCsv) }),
    });

const bank = { target: 'y', positive: 'yes', drop: 'duration' };
/** Filled in by sales after the lead came in (PROVENANCE of the set). */
const AFTERWARDS = [
  'Tags',
  'Lead Quality',
  'Lead Profile',
  'Last Notable Activity',
  'Last Activity',
  'Asymmetrique Activity Index',
  'Asymmetrique Profile Index',
  'Asymmetrique Activity Score',
  'Asymmetrique Profile Score',
];

const hasFlag = (report: EvaluationReport, name: string): boolean => {
  const audits = report.details['fairness'] as FairnessAudit[];
  return audits.some(({ flags }) => flags.some((flag) => flag.startsWith(name)));
};

/** Lead scoring, propensity, churn and fairness. */
export const TABLE_BARS: readonly BarRun[] = [
  {
    dataset: 'bank_marketing',
    task: 'lead propensity',
    evaluate: table('bank_full.csv.gz', bank),
    bars: [atLeast('auc', 0.8), atMost('logLoss', 0.282)],
  },
  {
    dataset: 'bank_marketing',
    task: 'lead propensity, later rows',
    evaluate: table('bank_full.csv.gz', { ...bank, split: 'last:0.2' }),
    bars: [atLeast('auc', 0.683)],
  },
  {
    dataset: 'x_education_leads',
    task: 'lead scoring',
    evaluate: table('leads.csv.gz', { target: 'Converted', drop: AFTERWARDS.join(',') }),
    bars: [atLeast('auc', 0.868)],
  },
  {
    dataset: 'x_education_leads',
    task: 'lead scoring, leaky columns kept',
    evaluate: table('leads.csv.gz', { target: 'Converted' }),
    bars: [says('leaks named', ({ leaks }) => AFTERWARDS.every((column) => leaks.includes(column)))],
  },
  {
    dataset: 'telco_churn',
    task: 'churn',
    evaluate: table('telco.csv.gz', { target: 'Churn' }),
    bars: [atLeast('auc', 0.85)],
  },
  {
    dataset: 'bank_additional_8k',
    task: 'propensity',
    evaluate: table('bank_additional_8k.csv.gz', bank),
    bars: [atLeast('auc', 0.795)],
  },
  {
    dataset: 'adult',
    task: 'fairness',
    evaluate: table('train.csv.gz', {
      target: 'class',
      positive: '>50K',
      testCsv: 'test.csv.gz',
      protected: 'sex,race',
    }),
    bars: [
      atLeast('auc', 0.925),
      says('selection rate gap by sex flagged', (report) => hasFlag(report, 'selection rate by "sex"')),
      says('true positive rate gap by sex flagged', (report) =>
        hasFlag(report, 'true positive rate by "sex"'),
      ),
    ],
  },
];
