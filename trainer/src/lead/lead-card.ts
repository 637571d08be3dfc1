import type { ModelCard } from '@sextant/artefacts';
import type { Choice } from './choose-family.js';
import { countPositives, type LeadData } from './lead-example.js';
import type { LeadSplit } from './lead-split.js';

export interface LeadCardInput {
  data: LeadData;
  split: LeadSplit;
  choice: Choice;
  features: readonly string[];
  horizonDays: number;
  warnings: readonly string[];
}

/** What a person needs to judge a lead model. */
export function leadCard(input: LeadCardInput): ModelCard {
  const { data, split, choice, horizonDays } = input;
  const rows = data.labels.length;
  const positives = countPositives(data.labels);
  return {
    purpose: `Probability that a lead is won within ${horizonDays} days of its form, from what was known when the form came in.`,
    trainingData: `${rows} leads of ${new Set(data.customerIds).size} customers${periodOf(data)}, ${positives} of them won (${percent(positives / rows)}). ${splitSentence(split)}`,
    features: [...input.features],
    chosenBecause: `${choice.chosen.tuned.settings}: ${choice.reason}. Fitted again on all leads after the choice.`,
    metrics: choice.chosen.metrics,
    baselineMetrics: choice.baseline.metrics,
    limitations: [
      'A score describes leads like those it was learnt from; it says nothing on what a call or a message would change.',
      `Metrics are of the model fitted before the ${split.validate.length} validation leads, not of the final fit.`,
      split.kind === 'later'
        ? 'Probabilities, bands and percentiles are calibrated on the latest leads by out-of-fold scores; where the win rate moves on, they lag behind.'
        : 'Validation leads are from the same period as the others: a change of the market after it would not show in the metrics.',
    ],
    warnings: [...input.warnings],
  };
}

function splitSentence({ kind, fit, tune, validate }: LeadSplit): string {
  const parts = `${fit.length} leads to fit, ${tune.length} to tune, ${validate.length} to validate`;
  return kind === 'later'
    ? `Split by time: ${parts}, each part later than the one before.`
    : `Split by a seeded hash of the customer: ${parts}.`;
}

function periodOf({ at }: LeadData): string {
  const [first, last] = [at[0], at.at(-1)];
  if (first === undefined || last === undefined || first === last) return '';
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  return ` between ${day(first)} and ${day(last)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
