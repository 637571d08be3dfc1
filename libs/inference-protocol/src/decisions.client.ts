import type { MethodDefinition } from '@grpc/grpc-js';
import type { CallOptions } from './call-options.js';
import type {
  ChooseActionsRequest,
  ChooseActionsResponse,
  ForecastValueRequest,
  ForecastValueResponse,
  PredictDemandRequest,
  PredictDemandResponse,
  QuotePricesRequest,
  QuotePricesResponse,
  RecommendRequest,
  RecommendResponse,
  ScoreLeadsRequest,
  ScoreLeadsResponse,
} from './decisions-messages.js';
import type { WorkerPoolOptions } from './pool/pool-options.js';
import { WorkerPool } from './pool/worker-pool.js';
import { decisionsService } from './service-definitions.js';

/**
 * Every method rejects with a DomainError: INFERENCE_UNAVAILABLE (at once while no worker listens), INFERENCE_DEADLINE_EXCEEDED,
 * QUEUE_FULL, MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND, INVALID_INPUT, BATCH_TOO_LARGE, FEATURE_VECTOR_MISMATCH or INFERENCE_FAILED.
 */
export interface DecisionsClient {
  recommend(request: RecommendRequest, options: CallOptions): Promise<RecommendResponse>;
  quotePrices(request: QuotePricesRequest, options: CallOptions): Promise<QuotePricesResponse>;
  predictDemand(request: PredictDemandRequest, options: CallOptions): Promise<PredictDemandResponse>;
  scoreLeads(request: ScoreLeadsRequest, options: CallOptions): Promise<ScoreLeadsResponse>;
  forecastValue(request: ForecastValueRequest, options: CallOptions): Promise<ForecastValueResponse>;
  chooseActions(request: ChooseActionsRequest, options: CallOptions): Promise<ChooseActionsResponse>;
  /** The workers behind it: their state, for probes and metrics. */
  readonly pool: WorkerPool;
  /** Settles once the running calls have ended. */
  close(): Promise<void>;
}

/**
 * @throws DomainError CONFIG_INVALID when the address is none
 */
export function createDecisionsClient(options: WorkerPoolOptions): DecisionsClient {
  const pool = new WorkerPool(options);
  const bind = <Request, Response>(name: string) => {
    const method = pool.method<Request, Response>(name, methodOf(name));
    return (request: Request, callOptions: CallOptions) => pool.call(method, request, callOptions);
  };
  return {
    recommend: bind<RecommendRequest, RecommendResponse>('Recommend'),
    quotePrices: bind<QuotePricesRequest, QuotePricesResponse>('QuotePrices'),
    predictDemand: bind<PredictDemandRequest, PredictDemandResponse>('PredictDemand'),
    scoreLeads: bind<ScoreLeadsRequest, ScoreLeadsResponse>('ScoreLeads'),
    forecastValue: bind<ForecastValueRequest, ForecastValueResponse>('ForecastValue'),
    chooseActions: bind<ChooseActionsRequest, ChooseActionsResponse>('ChooseActions'),
    pool,
    close: () => pool.close(),
  };
}

function methodOf<Request, Response>(name: string): MethodDefinition<Request, Response> {
  const definition = decisionsService[name];
  if (!definition) throw new Error(`decisions.proto defines no ${name}`);
  return definition;
}
