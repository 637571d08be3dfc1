import type { ModelCard } from '@sextant/artefacts';
import type { Choice } from './choose-family.js';
import type { ExampleSplit } from './split-examples.js';
import { countPositives, type TableExamples } from './table-examples.js';

/** What the rows of a task are called where a person reads of them. */
export interface TableWords {
  /** Plural, e.g. `leads`. */
  examples: string;
  /** What a positive row became, e.g. `won`. */
  positive: string;
  /** e.g. `lost` */
  negative: string;
  /** Plural of what `groupIds` names, e.g. `customers`. */
  groups: string;
  /** What to do where the rows are too few, e.g. `ingest lead_submitted events`. */
  remedy: string;
  /** What the score does not say, one sentence. */
  limitation: string;
}

export interface DescribedTraining {
  examples: TableExamples;
  split: ExampleSplit;
  choice: Choice;
  features: readonly string[];
  warnings: readonly string[];
  words: TableWords;
}

/** What a person needs to judge a score, but for its purpose. */
export function describeTraining(input: DescribedTraining): Omit<ModelCard, 'purpose'> {
  const { examples, split, choice, words } = input;
  const rows = examples.labels.length;
  const positives = countPositives(examples.labels);
  const groups = new Set(examples.groupIds).size;
  return {
    trainingData: `${rows} ${words.examples} of ${groups} ${words.groups}${periodOf(examples)}, ${positives} of them ${words.positive} (${percent(positives / rows)}). ${splitSentence(split, words)}`,
    features: [...input.features],
    chosenBecause: `${choice.chosen.tuned.settings}: ${choice.reason}. Fitted again on all ${words.examples} after the choice.`,
    metrics: choice.chosen.metrics,
    baselineMetrics: choice.baseline.metrics,
    limitations: [
      words.limitation,
      `Metrics are of the model fitted before the ${split.validate.length} validation ${words.examples}, not of the final fit.`,
      split.kind === 'later'
        ? `Probabilities, bands and percentiles are calibrated on the latest ${words.examples} by out-of-fold scores; where the rate moves on, they lag behind.`
        : `Validation ${words.examples} are from the same period as the others: a change of the market after it would not show in the metrics.`,
    ],
    warnings: [...input.warnings],
  };
}

function splitSentence(
  { kind, fit, tune, validate }: ExampleSplit,
  { examples, groups }: TableWords,
): string {
  const parts = `${fit.length} ${examples} to fit, ${tune.length} to tune, ${validate.length} to validate`;
  return kind === 'later'
    ? `Split by time: ${parts}, each part later than the one before.`
    : `Split by a seeded hash of the ${groups}: ${parts}.`;
}

/** Rows of a file that only stand in an order (0, 1, 2, …) have no dates to name. */
function periodOf({ at }: TableExamples): string {
  const [first, last] = [at[0], at.at(-1)];
  if (first === undefined || last === undefined || first === last || last < 1e9) return '';
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  return ` between ${day(first)} and ${day(last)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
