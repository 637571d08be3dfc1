import { Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { type Challenge, Challenges } from '@sextant/model-registry';
import { type RequestContext, RequestLoaders } from '@sextant/platform';
import type { ModelReference } from '../decision/decision.js';

export interface ChallengeAnswer extends Omit<Challenge, 'outcomes'> {
  outcomes: {
    decisions: number;
    difference: { value: number; low: number; high: number; level: number };
    verdict: string;
  } | null;
}

/** How a challenger does beside the live version. */
@Resolver('ModelVersion')
export class ChallengeResolver {
  private readonly found: RequestLoaders<string, Challenge | null>;

  constructor(challenges: Challenges) {
    this.found = new RequestLoaders(
      async (tenantId, ids) => {
        const byId = await challenges.findMany(tenantId, ids);
        return ids.map((id) => byId.get(id) ?? null);
      },
      (id) => id,
    );
  }

  @ResolveField()
  async challenge(
    @Parent() { id }: ModelReference,
    @Context() context: RequestContext,
  ): Promise<ChallengeAnswer | null> {
    const challenge = await this.found.load(context, id);
    return challenge && challengeAnswer(challenge);
  }
}

/** A challenge as the graph shows it. */
export function challengeAnswer({ outcomes, ...challenge }: Challenge): ChallengeAnswer {
  if (!outcomes) return { ...challenge, outcomes: null };
  const { decisions, difference: value, low, high, level, verdict } = outcomes;
  return { ...challenge, outcomes: { decisions, difference: { value, low, high, level }, verdict } };
}
