import {
  auc,
  encodeTable,
  fitLogistic,
  fitTableEncoder,
  linearMargins,
  SUSPICIOUS_AUC,
} from '@sextant/learning';
import type { ExampleSplit } from './split-examples.js';
import { takeExamples, type TableExamples } from './table-examples.js';

/** A weaker column than this is no surprise, whatever the others are worth. */
const STRONG_AUC = 0.75;
/** By how much it must say more than the others: less is noise. */
const MARGIN = 0.01;
/** By how much more a suspicious column is a leak. */
const LEAK_MARGIN = 0.05;
/** Others that know less than this are no measure of what can be known. */
const INFORMED_AUC = 0.6;

interface Strengths {
  split: ExampleSplit;
  /** AUC of each column alone. */
  alone: ReadonlyMap<string, number>;
  exclude: readonly string[];
}

export interface DominantColumn {
  column: string;
  /** Whether it says so much more that it must have been written afterwards. */
  isLeak: boolean;
  /** Its strength beside that of the others, in words. */
  strength: string;
}

/**
 * The column that alone says more than all the others together (a logistic regression on them, fitted on the fitting rows and measured on
 * the tuning rows). It is often written afterwards: how long the call took that closed the sale. An AUC of 0.9 alone, 0.05 above
 * all that is known otherwise, is taken for a leak: a noisy copy of the outcome looks like that, and honest knowledge hardly ever.
 *
 * @returns null where no column is strong, or the others are worth as much
 */
export function dominantColumn(
  examples: TableExamples,
  { split, alone, exclude }: Strengths,
): DominantColumn | null {
  const [best] = [...alone].filter(([name]) => !exclude.includes(name)).sort(([, a], [, b]) => b - a);
  if (best === undefined || best[1] < STRONG_AUC) return null;
  const [column, reached] = best;
  const others = aucOfOthers(examples, split, [...exclude, column]);
  if (!(reached > others + MARGIN)) return null;
  return {
    column,
    isLeak: others >= INFORMED_AUC && reached >= SUSPICIOUS_AUC && reached > others + LEAK_MARGIN,
    strength: `alone (AUC ${reached.toFixed(3)}) says more than all the others together (${others.toFixed(3)})`,
  };
}

/** 0.5 where there is no other column. */
function aucOfOthers(examples: TableExamples, split: ExampleSplit, exclude: readonly string[]): number {
  const [fit, held] = [takeExamples(examples, split.fit), takeExamples(examples, split.tune)];
  const { encoding } = fitTableEncoder(fit.table, { purpose: 'linear', exclude });
  const columns = encoding.features.length;
  if (columns === 0) return 0.5;
  const rows = encodeTable(encoding, fit.table);
  const model = fitLogistic({ rows, columns, labels: fit.labels }, { l2: 10 / fit.labels.length });
  return auc(held.labels, linearMargins(model, encodeTable(encoding, held.table)));
}
