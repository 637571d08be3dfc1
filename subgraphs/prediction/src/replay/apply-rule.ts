import type { LoggedDecision } from '@sextant/decision-log';
import { REPEAT_RATE_RULE } from '../lifetime/repeat-rate-rule.js';
import { valueByRule } from '../lifetime/value-forecast.service.js';
import { noAction } from '../next-action/choose-next-action.js';
import { NO_ACTION_RULE } from '../next-action/next-action.service.js';
import { listPriceWithin } from '../pricing/price-rules.js';
import { LIST_PRICE_RULE, shownOf } from '../pricing/price.service.js';
import { slateByPopularity } from '../recommendation/popularity-rule.js';
import { POPULARITY_RULE, slateOutput } from '../recommendation/recommendation.service.js';
import { scoreOutput } from '../score/score.service.js';
import { SCORE_PROFILES } from '../score/score-task.js';
import { inputOf, notReplayable, slateRowOf } from './ask-version.js';
import { actionInput, priceInput, slateInput, valueInput } from './logged-inputs.js';

/** What a rule of this release answers to a logged input. @throws DomainError DECISION_NOT_REPLAYABLE for a rule that there is no more */
export function applyRule(decision: LoggedDecision): Record<string, unknown> {
  const { kind } = decision;
  switch (kind) {
    case 'recommend': {
      assertRule(decision, POPULARITY_RULE);
      const { popularity, ...input } = inputOf(slateInput, decision);
      if (!popularity) throw notReplayable(decision.id, 'its logged input lacks "popularity"');
      return { items: slateOutput(slateByPopularity(popularity, slateRowOf(input))) };
    }
    case 'price': {
      assertRule(decision, LIST_PRICE_RULE);
      const input = inputOf(priceInput, decision);
      return shownOf(listPriceWithin(input, input), input);
    }
    case 'lifetime':
      assertRule(decision, REPEAT_RATE_RULE);
      return { ...valueByRule(inputOf(valueInput, decision)) };
    case 'uplift': {
      assertRule(decision, NO_ACTION_RULE);
      const { propensity: _propensity, ...output } = noAction();
      return output;
    }
    case 'lead':
    case 'churn':
    case 'purchase': {
      const profile = SCORE_PROFILES[kind];
      assertRule(decision, profile.rule.modelId);
      return scoreOutput(profile.rule.score(inputOf(actionInput.shape.features, decision)), profile);
    }
  }
}

function assertRule({ id, modelVersion }: LoggedDecision, rule: string): void {
  if (modelVersion === rule) return;
  throw notReplayable(id, `the rule ${modelVersion} is no more, ${rule} has its place`);
}
