import type { DecisionEnvelope } from './decision.js';
import { DEFAULT_CONTRIBUTIONS, explain, type Explanation } from './explanation.js';

const explanation = (
  { attribution }: DecisionEnvelope,
  { top }: { top: number | null },
): Explanation | null => attribution && explain(attribution, top ?? DEFAULT_CONTRIBUTIONS);

/** A field that only this type has. */
const TYPES = [
  ['items', 'RecommendationSet'],
  ['token', 'PriceQuote'],
  ['probabilityAlive', 'ValueForecast'],
  ['suppressed', 'NextAction'],
] as const;

/** Resolvers that all types of decision share; a type is told by what only it has. */
export const decisionTypeResolvers = {
  Decision: {
    __resolveType: (decision: object): string => TYPES.find(([field]) => field in decision)?.[1] ?? 'Score',
  },
  RecommendationSet: { explanation },
  PriceQuote: { explanation },
  Score: { explanation },
  ValueForecast: { explanation },
  NextAction: { explanation },
};
