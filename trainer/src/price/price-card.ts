import type { ModelCard, PriceSpec } from '@sextant/artefacts';
import type { DemandRow } from '@sextant/learning';
import { priceWarnings, type TrainedDemand } from '@sextant/training/price';

export interface PriceCardInput {
  observations: readonly DemandRow[];
  trained: TrainedDemand;
  spec: PriceSpec;
  warnings: readonly string[];
}

/** What a person needs to judge a price model. */
export function priceCard({ observations, trained, spec, warnings }: PriceCardInput): ModelCard {
  const { split, choice, family, baseline, causal, response } = trained;
  const products = Object.keys(spec.priceRange).length;
  return {
    purpose: 'Expected units of a product at a price and in a context, from which quotes are searched.',
    trainingData: `${observations.length} observations of ${products} products; ${split.validate.length} ${split.kind === 'later' ? 'later ones' : 'of them, by row number,'} judged the choice.`,
    features: spec.table.features,
    chosenBecause: [
      `${choice.chosen.candidate.settings}.`,
      ...choice.reasons,
      'Fitted again on all observations after the choice.',
      ...(response
        ? [
            `The model says what sells at the prices that occur; a quote moves the price from the usual ones along the elasticity (${response.basis}).`,
          ]
        : []),
    ].join(' '),
    metrics: choice.chosen.metrics,
    baselineMetrics: baseline,
    limitations: [
      'Products are modelled one by one: a price that takes sales from another product looks better than it is.',
      'No price outside the range seen for a product is asked of the model.',
      'Intervals of elasticities take days of one product at one unchanged price as erring together, others as independent.',
      family === 'gaussian'
        ? 'Intervals take errors of log units as normal with one spread for all products.'
        : 'Units are counts with days of no sale; intervals take one coefficient of variation for all products.',
    ],
    warnings: [...warnings, ...causal.warnings, ...priceWarnings(observations, spec.elasticity)],
  };
}
