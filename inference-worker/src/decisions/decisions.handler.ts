import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ModelRunner } from '../models/model-runner.js';
import type { CallContext } from '../transport/call-context.js';
import { type HandlerParts, unaryHandler } from '../transport/unary.handler.js';
import { chooseActions } from './choose-actions.js';
import { forecastValue } from './forecast-value.js';
import { predictDemand } from './predict-demand.js';
import { quotePrices } from './quote-prices.js';
import { recommend } from './recommend.js';
import { scoreLeads } from './score-leads.js';

export interface DecisionsParts extends HandlerParts {
  runner: ModelRunner;
}

/** `sextant.inference.v1.Decisions`: each call is counted when it arrives. */
export function decisionsHandlers(parts: DecisionsParts): UntypedServiceImplementation {
  const handler = <Request, Response>(
    rpc: string,
    core: (runner: ModelRunner, request: Request, context: CallContext) => Promise<Response>,
  ) =>
    unaryHandler(parts, rpc, (request: Request, context) => {
      parts.metrics.domainCall(rpc);
      return core(parts.runner, request, context);
    });
  return {
    Recommend: handler('Recommend', recommend),
    QuotePrices: handler('QuotePrices', quotePrices),
    PredictDemand: handler('PredictDemand', predictDemand),
    ScoreLeads: handler('ScoreLeads', scoreLeads),
    ForecastValue: handler('ForecastValue', forecastValue),
    ChooseActions: handler('ChooseActions', chooseActions),
  };
}
