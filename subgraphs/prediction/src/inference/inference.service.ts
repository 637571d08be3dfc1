import { DomainError } from '@sextant/domain';
import type {
  ChooseActionsRequest,
  ChooseActionsResponse,
  DecisionsClient,
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
} from '@sextant/inference-protocol';
import type { PredictionMetrics } from '../prediction-metrics.js';
import type { CircuitBreaker } from './circuit-breaker.js';

/** A shorter deadline that passes says more about the caller's haste than about the worker. */
const FAIR_DEADLINE_MS = 100;
/** With less than this left, a call could only waste the worker's time. */
const LEAST_DEADLINE_MS = 2;

type Rpc = 'Recommend' | 'QuotePrices' | 'ScoreLeads' | 'ForecastValue' | 'PredictDemand' | 'ChooseActions';

/**
 * The inference worker behind a circuit breaker, measured. Every method rejects with a DomainError that names why there is
 * no answer; `deadlineMs` counts from the call.
 */
export class InferenceService {
  constructor(
    private readonly client: DecisionsClient,
    private readonly breaker: CircuitBreaker,
    private readonly metrics: PredictionMetrics,
  ) {
    metrics.watchBreaker(() => breaker.state);
  }

  recommend(request: RecommendRequest, deadlineMs: number): Promise<RecommendResponse> {
    return this.call('Recommend', deadlineMs, async () => {
      const response = await this.client.recommend(request, { deadlineMs });
      return checkRows(response, response.slates.length, request.rows.length);
    });
  }

  quotePrices(request: QuotePricesRequest, deadlineMs: number): Promise<QuotePricesResponse> {
    return this.call('QuotePrices', deadlineMs, async () => {
      const response = await this.client.quotePrices(request, { deadlineMs });
      return checkRows(response, response.quotes.length, request.rows.length);
    });
  }

  scoreLeads(request: ScoreLeadsRequest, deadlineMs: number): Promise<ScoreLeadsResponse> {
    return this.call('ScoreLeads', deadlineMs, async () => {
      const response = await this.client.scoreLeads(request, { deadlineMs });
      return checkRows(response, response.scores.length, request.rows?.rows ?? 0);
    });
  }

  forecastValue(request: ForecastValueRequest, deadlineMs: number): Promise<ForecastValueResponse> {
    return this.call('ForecastValue', deadlineMs, async () => {
      const response = await this.client.forecastValue(request, { deadlineMs });
      return checkRows(response, response.value.byteLength / 8, request.customers.byteLength / 48);
    });
  }

  chooseActions(request: ChooseActionsRequest, deadlineMs: number): Promise<ChooseActionsResponse> {
    return this.call('ChooseActions', deadlineMs, async () => {
      const response = await this.client.chooseActions(request, { deadlineMs });
      return checkRows(response, response.without.byteLength / 8, request.rows?.rows ?? 0);
    });
  }

  predictDemand(request: PredictDemandRequest, deadlineMs: number): Promise<PredictDemandResponse> {
    return this.call('PredictDemand', deadlineMs, async () => {
      const response = await this.client.predictDemand(request, { deadlineMs });
      return checkRows(response, response.medianUnits.byteLength / 8, request.rows?.rows ?? 0);
    });
  }

  private async call<R>(rpc: Rpc, deadlineMs: number, run: () => Promise<R>): Promise<R> {
    if (deadlineMs < LEAST_DEADLINE_MS) {
      throw new DomainError(
        'INFERENCE_DEADLINE_EXCEEDED',
        'the budget was used up before the worker was asked',
      );
    }
    if (!this.breaker.admits())
      throw new DomainError(
        'INFERENCE_UNAVAILABLE',
        'the worker failed repeatedly and is left alone for a moment',
      );
    const endTimer = this.metrics.calls.startTimer({ rpc });
    try {
      const response = await run();
      this.breaker.succeeded();
      endTimer({ outcome: 'ok' });
      return response;
    } catch (error) {
      const code = error instanceof DomainError ? error.code : 'INTERNAL';
      endTimer({ outcome: code });
      this.learnFrom(code, deadlineMs);
      throw error;
    }
  }

  private learnFrom(code: string, deadlineMs: number): void {
    if (code === 'INFERENCE_UNAVAILABLE') this.breaker.failed();
    else if (code !== 'INFERENCE_DEADLINE_EXCEEDED') this.breaker.succeeded();
    else if (deadlineMs >= FAIR_DEADLINE_MS) this.breaker.failed();
    else this.breaker.undecided();
  }
}

function checkRows<R>(response: R, got: number, expected: number): R {
  if (got === expected) return response;
  throw new DomainError('INFERENCE_FAILED', `the worker answered ${got} rows for ${expected}`);
}
