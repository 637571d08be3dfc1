import { auc, encodeTable, fitLogistic, fitTableEncoder, linearMargins } from '@sextant/learning';
import type { ExampleSplit } from './split-examples.js';
import { takeExamples, type TableExamples } from './table-examples.js';

/** A weaker column than this is no surprise, whatever the others are worth. */
const STRONG_AUC = 0.75;
/** By how much it must say more than the others: less is noise. */
const MARGIN = 0.01;

interface Strengths {
  split: ExampleSplit;
  /** AUC of each column alone. */
  alone: ReadonlyMap<string, number>;
  exclude: readonly string[];
}

/**
 * A column that alone says more than all the others together (a logistic regression on them, fitted on the fitting rows and
 * measured on the tuning rows) is often written afterwards: how long the call took that closed the sale. It stays in, for it may
 * be honest, and one sentence asks the question.
 */
export function dominantColumnWarning(
  examples: TableExamples,
  { split, alone, exclude }: Strengths,
): string[] {
  const [best] = [...alone].filter(([name]) => !exclude.includes(name)).sort(([, a], [, b]) => b - a);
  if (best === undefined || best[1] < STRONG_AUC) return [];
  const [name, reached] = best;
  const [fit, held] = [takeExamples(examples, split.fit), takeExamples(examples, split.tune)];
  const { encoding } = fitTableEncoder(fit.table, { purpose: 'linear', exclude: [...exclude, name] });
  const columns = encoding.features.length;
  const rows = encodeTable(encoding, fit.table);
  const others =
    columns === 0
      ? 0.5
      : auc(
          held.labels,
          linearMargins(
            fitLogistic({ rows, columns, labels: fit.labels }, { l2: 10 / fit.labels.length }),
            encodeTable(encoding, held.table),
          ),
        );
  if (!(reached > others + MARGIN)) return [];
  return [
    `column "${name}" alone (AUC ${reached.toFixed(3)}) says more than all the others together (${others.toFixed(3)}): check that it is known before the outcome`,
  ];
}
