import type { Clock } from '@sextant/domain';
import type { FeatureStore } from '@sextant/features';
import type { DecisionsClient } from '@sextant/inference-protocol';
import type { ModelVersions } from '@sextant/model-registry';
import { CustomerFeatures } from './customer/customer-features.service.js';
import { AnswerCache } from './decision/answer-cache.js';
import type { DecisionLog } from './decision/decision-log.js';
import { DecisionWriter } from './decision/decision-writer.js';
import { Ladder } from './decision/ladder.js';
import { InferenceService } from './inference/inference.service.js';
import { ValueForecastService } from './lifetime/value-forecast.service.js';
import { NextActionService } from './next-action/next-action.service.js';
import { NeighbourGraph } from './neighbour-graph.client.js';
import type { PredictionConfig } from './prediction.config.js';
import type { PredictionMetrics } from './prediction-metrics.js';
import type { TenantPlaybooks } from './policy/tenant-playbooks.js';
import { CatalogueClient } from './pricing/catalogue.client.js';
import { DemandService } from './pricing/demand.service.js';
import { PriceService } from './pricing/price.service.js';
import { quoteKeys } from './pricing/quote-token.js';
import { Popularity } from './recommendation/popularity.js';
import { RecommendationService } from './recommendation/recommendation.service.js';
import type { LoaderServices } from './request-loaders.js';
import { ScoreService } from './score/score.service.js';
import { SCORE_PROFILES } from './score/score-task.js';

export interface PredictionParts {
  client: DecisionsClient;
  features: FeatureStore;
  versions: ModelVersions;
  playbooks: TenantPlaybooks;
  log: DecisionLog;
  metrics: PredictionMetrics;
  clock: Clock;
}

/** Wires the decisions of one process together. */
export function predictionServices(config: PredictionConfig, parts: PredictionParts): LoaderServices {
  const { client, features, versions, playbooks, log, metrics, clock } = parts;
  const inference = new InferenceService(client, metrics);
  const ladder = new Ladder(new AnswerCache(config.ANSWER_CACHE_SIZE));
  const writer = new DecisionWriter(log, metrics, clock);
  const catalogue = new CatalogueClient(neighboursOf(config).campaign, metrics);
  const rules = {
    minCostFactor: config.PRICE_MIN_COST_FACTOR,
    minListFactor: config.PRICE_MIN_LIST_FACTOR,
    maxListFactor: config.PRICE_MAX_LIST_FACTOR,
  };
  const popularity = new Popularity(features, config.FEATURE_TIMEOUT_MS);
  return {
    features: new CustomerFeatures(features, config.FEATURE_TIMEOUT_MS),
    recommendations: new RecommendationService({ inference, ladder, popularity, catalogue, writer }),
    scores: {
      lead: new ScoreService(SCORE_PROFILES.lead, { inference, ladder, writer, playbooks }),
      churn: new ScoreService(SCORE_PROFILES.churn, { inference, ladder, writer, playbooks }),
      purchase: new ScoreService(SCORE_PROFILES.purchase, { inference, ladder, writer, playbooks }),
    },
    values: new ValueForecastService({ inference, ladder, writer }),
    actions: new NextActionService({ inference, ladder, writer }),
    prices: new PriceService(
      { inference, ladder, catalogue, writer },
      { rules, quoteKey: quoteKeys(config.SEXTANT_SIGNING_SECRET)[0] },
    ),
    demand: new DemandService(inference, writer),
    versions,
  };
}

/** The subgraphs that this one asks. */
export function neighboursOf(config: PredictionConfig): Record<'customer' | 'campaign', NeighbourGraph> {
  const shared = {
    ...{ signingSecret: config.SEXTANT_SIGNING_SECRET, timeoutMs: config.CATALOGUE_TIMEOUT_MS },
    now: Date.now,
  };
  return {
    customer: new NeighbourGraph({ ...shared, name: 'customer', url: config.CUSTOMER_URL }),
    campaign: new NeighbourGraph({ ...shared, name: 'campaign', url: config.CAMPAIGN_URL }),
  };
}
