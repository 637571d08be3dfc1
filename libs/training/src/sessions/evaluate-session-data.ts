import { DomainError } from '@sextant/domain';
import { indexSessions, type Session } from '@sextant/learning/session';
import type { EvaluationReport, Plot } from '../evaluation/index.js';
import { describeSettings, reasonOf } from './describe-choice.js';
import { measureSessions, type MeasuredSessions } from './measure-sessions.js';

export interface SessionEvaluation {
  sessions: readonly Session[];
  /** Views read. */
  rows: number;
  /** Sessions that end later than this are the test. */
  testAfter: number;
  seed: number;
}

const MAX_ITEMS = 50_000;

/**
 * Next-item prediction on later sessions that no choice has seen.
 *
 * @throws DomainError DATA_INSUFFICIENT when one side of the split has nothing to learn from or to predict
 */
export async function evaluateSessionData(input: SessionEvaluation): Promise<EvaluationReport> {
  const earlier = input.sessions.filter(({ endedAt }) => endedAt <= input.testAfter);
  const later = input.sessions.filter(({ endedAt }) => endedAt > input.testAfter);
  const indexed = indexSessions(earlier, MAX_ITEMS);
  const measured = await measureSessions(indexed, later, { seed: input.seed });
  if (measured.predictions === 0) {
    throw new DomainError(
      'DATA_INSUFFICIENT',
      `none of the ${later.length} later sessions has two views of items that the ${earlier.length} earlier ones know: choose an earlier split or give more data`,
    );
  }
  return {
    task: 'sessions',
    rows: input.rows,
    test: measured.predictions,
    chosen: describeSettings(measured.choice.settings),
    because: reasonOf(measured.choice),
    metrics: measured.metrics,
    baselines: measured.baselines,
    leaks: [],
    warnings: warningsOf(measured, indexed.droppedItems, { earlier, later }),
    details: {
      settings: measured.choice.settings,
      trainSessions: earlier.length,
      testSessions: later.length,
      items: indexed.items.length,
      protocol:
        'each view but the first of a test session is predicted from those before it, among all items; items unknown to the training sessions are left out',
    },
    plots: [comparison(measured)],
  };
}

function warningsOf(
  { predictions, metrics, baselines }: MeasuredSessions,
  droppedItems: number,
  { earlier, later }: { earlier: readonly Session[]; later: readonly Session[] },
): string[] {
  const warnings: string[] = [];
  const known = new Set(earlier.flatMap(({ items }) => items));
  const views = later.flatMap(({ items }) => items);
  const unknown = views.filter((item) => !known.has(item)).length;
  if (unknown > 0.2 * views.length) {
    warnings.push(
      `${unknown} of ${views.length} later views are of items that were never seen before: they need content, not sessions`,
    );
  }
  if (droppedItems > 0) warnings.push(`${droppedItems} of the least viewed items are left out`);
  if (predictions < 200)
    warnings.push(`only ${predictions} views could be predicted: the metrics say little`);
  const [model, popular] = [metrics['mrr@20'], baselines['popularity']?.['mrr@20']];
  if (model && popular && model.value <= popular.value)
    warnings.push('no better than showing what is popular');
  return warnings;
}

function comparison({ metrics, baselines }: MeasuredSessions): Plot {
  const bars = (of: MeasuredSessions['metrics']): [string, number][] =>
    ['hr@20', 'mrr@20', 'ndcg@20'].map((name) => [name, of[name]?.value ?? Number.NaN]);
  return {
    title: 'Next view, beside simpler rules',
    kind: 'bar',
    x: 'metric',
    y: 'value',
    series: [
      { name: 'chosen', points: bars(metrics) },
      ...Object.entries(baselines).map(([name, of]) => ({ name, points: bars(of) })),
    ],
  };
}
