import { alignedRows } from '../output/aligned-rows.js';
import type { DriftAnswer } from './drift-answers.js';

const TOP_FEATURES = 10;

/** What a window showed: the verdict, what was found, the features by what their change means. */
export function driftText(report: DriftAnswer): string {
  const { version, verdict, from, to, rowsSeen, workers, performance, findings, features, notes } = report;
  const window = `${minute(from)} to ${minute(to)} UTC: ${rowsSeen.toLocaleString('en')} rows of ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  const header = ['feature', 'test', 'statistic', 'threshold', 'importance', ''];
  const rows = features
    .slice(0, TOP_FEATURES)
    .map(({ feature, test, statistic, threshold, importance, drifted }) => [
      ...[
        feature,
        test,
        figure(statistic),
        figure(threshold),
        `${Number((100 * importance).toPrecision(3))} %`,
      ],
      drifted ? 'DRIFTED' : '',
    ]);
  const lines = [
    `${version?.id ?? 'no live version'}: ${verdict}`,
    window,
    ...(performance
      ? [
          `performance ${figure(performance.value)} (${figure(performance.low)} to ${figure(performance.high)})`,
        ]
      : []),
    ...listed(
      'found',
      findings.map(({ kind, name, sentence }) => `${kind} ${name}: ${sentence}`),
    ),
    ...(rows.length === 0 ? [] : ['', ...alignedRows([header, ...rows])]),
    ...listed('not checked', notes),
    ...(report.retrainJob === null ? [] : ['', `asked for training: ${report.retrainJob}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function listed(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  - ${line}`)];
}

function minute(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ');
}

function figure(value: number): string {
  return value.toPrecision(3);
}
