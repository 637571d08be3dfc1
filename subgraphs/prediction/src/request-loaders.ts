import type { ScoreTask } from '@sextant/artefacts';
import type { RequestContext } from '@sextant/platform';
import type { CustomerState } from '@sextant/features';
import type { ModelVersion, ModelVersions } from '@sextant/model-registry';
import DataLoader from 'dataloader';
import { coalesce } from './coalesce.js';
import type { CustomerFeatures } from './customer/customer-features.service.js';
import type { Budget } from './decision/budget.js';
import {
  type ValueForecast,
  type ValueForecastService,
  type ValueQuestion,
  valueQuestionKey,
} from './lifetime/value-forecast.service.js';
import {
  actionQuestionKey,
  type ActionQuestion,
  type NextAction,
  type NextActionService,
} from './next-action/next-action.service.js';
import type { DemandPoint, DemandQuestion, DemandService } from './pricing/demand.service.js';
import {
  type PriceQuestion,
  type PriceQuote,
  quoteQuestionKey,
  type PriceService,
} from './pricing/price.service.js';
import type { StateReader } from './recommendation/audience.js';
import {
  questionKey,
  type RecommendationQuestion,
  type RecommendationService,
  type RecommendationSet,
} from './recommendation/recommendation.service.js';
import {
  type Score,
  type ScoreQuestion,
  scoreQuestionKey,
  type ScoreService,
} from './score/score.service.js';

export interface LoaderServices {
  features: CustomerFeatures;
  recommendations: RecommendationService;
  scores: Readonly<Record<ScoreTask, ScoreService>>;
  values: ValueForecastService;
  actions: NextActionService;
  prices: PriceService;
  demand: DemandService;
  versions: ModelVersions;
}

/** Rows of one call to the worker at most. */
const MAX_ROWS = 1_000;
/** Demand curves of one call at most: each is many rows. */
const MAX_CURVES = 50;

/**
 * Fields of nested levels resolve in different microtasks; the next turn of the event loop comes after all of them, so that
 * 50 customers are one batch, and so are the products below their slates.
 */
const batchScheduleFn = (dispatch: () => void): void => void setImmediate(dispatch);

interface Batching {
  batchScheduleFn: (dispatch: () => void) => void;
  maxBatchSize: number;
}

/** The batches of one request, and so of one tenant. Equal questions with and without an explanation share a row. */
export class PredictionLoaders {
  readonly states: DataLoader<string, CustomerState>;
  readonly recommendations: DataLoader<RecommendationQuestion, RecommendationSet, string>;
  readonly scores: Readonly<Record<ScoreTask, DataLoader<ScoreQuestion, Score, string>>>;
  readonly values: DataLoader<ValueQuestion, ValueForecast | null, string>;
  readonly actions: DataLoader<ActionQuestion, NextAction, string>;
  readonly prices: DataLoader<PriceQuestion, PriceQuote, string>;
  readonly demand: DataLoader<DemandQuestion, DemandPoint[] | null>;
  readonly versions: DataLoader<string, ModelVersion | null>;

  constructor(tenantId: string, services: LoaderServices) {
    const options: Batching = { batchScheduleFn, maxBatchSize: MAX_ROWS };
    this.states = new DataLoader<string, CustomerState>(
      (ids) => services.features.statesOf(tenantId, ids),
      options,
    );
    const readStates = (ids: readonly string[]) => this.states.loadMany(ids);
    this.recommendations = new DataLoader(
      (questions) =>
        coalesce(questions, { keyOf: questionKey, merge: mergeReasons }, (distinct) =>
          services.recommendations.answer(tenantId, distinct, readStates),
        ),
      { ...options, cacheKeyFn: (question) => `${question.reasonsPerItem} ${questionKey(question)}` },
    );
    const scoresOf = (service: ScoreService) => scoreLoader(tenantId, service, { readStates, options });
    const { lead, churn, purchase } = services.scores;
    this.scores = { lead: scoresOf(lead), churn: scoresOf(churn), purchase: scoresOf(purchase) };
    this.values = valueLoader(tenantId, services.values, { readStates, options });
    this.actions = actionLoader(tenantId, services.actions, { readStates, options });
    this.prices = new DataLoader(
      (questions) =>
        coalesce(questions, { keyOf: exposureKey, merge: mergeExplain }, (distinct) =>
          services.prices.answer(tenantId, distinct),
        ),
      { ...options, cacheKeyFn: (question) => `${question.explain} ${exposureKey(question)}` },
    );
    this.demand = new DataLoader<DemandQuestion, DemandPoint[] | null>(
      (questions) => services.demand.answer(tenantId, questions),
      {
        ...options,
        cache: false,
        maxBatchSize: MAX_CURVES,
      },
    );
    this.versions = new DataLoader((ids) => versionsInOrder(services.versions, tenantId, ids), options);
  }
}

function scoreLoader(
  tenantId: string,
  service: ScoreService,
  { readStates, options }: { readStates: StateReader; options: Batching },
): DataLoader<ScoreQuestion, Score, string> {
  return new DataLoader(
    (questions) =>
      coalesce(questions, { keyOf: scoreQuestionKey, merge: mergeContributions }, async (distinct) =>
        service.answer(tenantId, distinct, await readStates(distinct.map(({ customerId }) => customerId))),
      ),
    { ...options, cacheKeyFn: (question) => `${question.contributions} ${scoreQuestionKey(question)}` },
  );
}

function valueLoader(
  tenantId: string,
  service: ValueForecastService,
  { readStates, options }: { readStates: StateReader; options: Batching },
): DataLoader<ValueQuestion, ValueForecast | null, string> {
  return new DataLoader(
    async (questions) =>
      service.answer(tenantId, questions, await readStates(questions.map(({ customerId }) => customerId))),
    { ...options, cacheKeyFn: valueQuestionKey },
  );
}

function actionLoader(
  tenantId: string,
  service: NextActionService,
  { readStates, options }: { readStates: StateReader; options: Batching },
): DataLoader<ActionQuestion, NextAction, string> {
  return new DataLoader(
    async (questions) =>
      service.answer(tenantId, questions, await readStates(questions.map(({ customerId }) => customerId))),
    { ...options, cacheKeyFn: actionQuestionKey },
  );
}

async function versionsInOrder(
  versions: ModelVersions,
  tenantId: string,
  ids: readonly string[],
): Promise<(ModelVersion | null)[]> {
  const found = new Map((await versions.findMany(tenantId, ids)).map((version) => [version.id, version]));
  return ids.map((id) => found.get(id) ?? null);
}

/** The loaders of each request, made when the first field asks for them. */
export class LoaderRegistry {
  private readonly loaders = new WeakMap<RequestContext, PredictionLoaders>();

  constructor(private readonly services: LoaderServices) {}

  of(context: RequestContext): PredictionLoaders {
    const known = this.loaders.get(context);
    if (known) return known;
    const made = new PredictionLoaders(context.identity.tenantId, this.services);
    this.loaders.set(context, made);
    return made;
  }
}

/** Quotes shown to different people are different decisions, even at the same price. */
function exposureKey(question: PriceQuestion): string {
  return `${question.customerId ?? ''} ${quoteQuestionKey(question)}`;
}

function mergeExplain<Q extends { explain: boolean; budget: Budget }>(first: Q, second: Q): Q {
  return { ...first, explain: first.explain || second.explain, budget: longer(first.budget, second.budget) };
}

function mergeContributions(first: ScoreQuestion, second: ScoreQuestion): ScoreQuestion {
  const contributions = Math.max(first.contributions, second.contributions);
  return { ...first, contributions, budget: longer(first.budget, second.budget) };
}

function mergeReasons(first: RecommendationQuestion, second: RecommendationQuestion): RecommendationQuestion {
  const reasonsPerItem = Math.max(first.reasonsPerItem, second.reasonsPerItem);
  return { ...first, reasonsPerItem, budget: longer(first.budget, second.budget) };
}

function longer(a: Budget, b: Budget): Budget {
  return a.deadlineAt >= b.deadlineAt ? a : b;
}
