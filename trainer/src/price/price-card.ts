import type { Measured, ModelCard, PriceSpec } from '@sextant/artefacts';
import type { DemandFamily, DemandRow } from '@sextant/learning';
import type { DemandChoice } from './choose-demand.js';
import type { DemandSplit } from './demand-split.js';

export interface PriceCardInput {
  observations: readonly DemandRow[];
  split: DemandSplit;
  family: DemandFamily;
  choice: DemandChoice;
  baseline: Record<string, Measured>;
  spec: PriceSpec;
  warnings: readonly string[];
}

/** What a person needs to judge a price model. */
export function priceCard(input: PriceCardInput): ModelCard {
  const { observations, split, family, choice, baseline, spec } = input;
  const products = Object.keys(spec.priceRange).length;
  return {
    purpose: 'Expected units of a product at a price and in a context, from which quotes are searched.',
    trainingData: `${observations.length} observations of ${products} products; ${split.validate.length} ${split.kind === 'later' ? 'later ones' : 'of them, by row number,'} judged the choice.`,
    features: spec.table.features,
    chosenBecause: [
      `${choice.chosen.candidate.settings}.`,
      ...choice.reasons,
      'Fitted again on all observations after the choice.',
    ].join(' '),
    metrics: choice.chosen.metrics,
    baselineMetrics: baseline,
    limitations: [
      'Products are modelled one by one: a price that takes sales from another product looks better than it is.',
      'No price outside the range seen for a product is asked of the model.',
      'Standard errors of elasticities take observations as independent of each other.',
      family === 'gaussian'
        ? 'Intervals take errors of log units as normal with one spread for all products.'
        : 'Units are counts with days of no sale; intervals take one coefficient of variation for all products.',
    ],
    warnings: [...input.warnings, ...warningsOf(observations, spec)],
  };
}

function warningsOf(observations: readonly DemandRow[], { elasticity }: PriceSpec): string[] {
  const warnings = [
    'Observational: no experiment or instrument. Prices were set with demand in mind, so an elasticity is an association, not what a change of price would cause.',
  ];
  const prices = new Map<string, Set<number>>();
  for (const { product, price } of observations)
    prices.set(product, (prices.get(product) ?? new Set()).add(price));
  const fixed = [...prices.values()].filter((seen) => seen.size < 2).length;
  if (fixed > 0)
    warnings.push(
      `${fixed} of ${prices.size} products were seen at one price only: their elasticity is that of the others.`,
    );
  const rising = Object.values(elasticity).filter(({ value }) => value >= 0).length;
  if (rising > 0)
    warnings.push(
      `${rising} of ${prices.size} products sold more at higher prices: their quotes go to the highest price allowed.`,
    );
  return warnings;
}
