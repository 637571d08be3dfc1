import type { DecisionEnvelope } from './decision.js';
import { explain, type Explanation } from './explanation.js';

const explanation = (
  { attribution }: DecisionEnvelope,
  { top }: { top: number | null },
): Explanation | null => attribution && explain(attribution, top ?? 5);

/** Resolvers that all types of decision share; a type is told by what only it has. */
export const decisionTypeResolvers = {
  Decision: {
    __resolveType: (decision: object): string =>
      'items' in decision ? 'RecommendationSet' : 'token' in decision ? 'PriceQuote' : 'Score',
  },
  RecommendationSet: { explanation },
  PriceQuote: { explanation },
  Score: { explanation },
};
