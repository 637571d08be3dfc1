import { DomainError } from '@sextant/domain';
import type {
  CallOptions,
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
import { activeSpan } from '@sextant/platform';
import type { PredictionMetrics } from '../prediction-metrics.js';

/** With less than this left, a call could only waste the worker's time. */
const LEAST_DEADLINE_MS = 2;

/** For whom the workers are asked. */
export interface Ask {
  tenantId: string;
  /** counts from the call */
  deadlineMs: number;
  /** of whom the only row is; keeps them with one version of a model while a canary is out */
  subject?: string | undefined;
  /** what is asked again, or only tried: it waits behind decisions, and monitoring does not count it */
  isTrial?: boolean;
}

type Rpc = 'Recommend' | 'QuotePrices' | 'ScoreLeads' | 'ForecastValue' | 'PredictDemand' | 'ChooseActions';

/** The inference workers, measured. Every method rejects with a DomainError that names why there is no answer. */
export class InferenceService {
  constructor(
    private readonly client: DecisionsClient,
    private readonly metrics: PredictionMetrics,
  ) {}

  recommend(request: RecommendRequest, ask: Ask): Promise<RecommendResponse> {
    return this.call('Recommend', ask, async (options) => {
      const response = await this.client.recommend(request, options);
      return checkRows(response, response.slates.length, request.rows.length);
    });
  }

  quotePrices(request: QuotePricesRequest, ask: Ask): Promise<QuotePricesResponse> {
    return this.call('QuotePrices', ask, async (options) => {
      const response = await this.client.quotePrices(request, options);
      return checkRows(response, response.quotes.length, request.rows.length);
    });
  }

  scoreLeads(request: ScoreLeadsRequest, ask: Ask): Promise<ScoreLeadsResponse> {
    return this.call('ScoreLeads', ask, async (options) => {
      const response = await this.client.scoreLeads(request, options);
      return checkRows(response, response.scores.length, request.rows?.rows ?? 0);
    });
  }

  forecastValue(request: ForecastValueRequest, ask: Ask): Promise<ForecastValueResponse> {
    return this.call('ForecastValue', ask, async (options) => {
      const response = await this.client.forecastValue(request, options);
      return checkRows(response, response.value.byteLength / 8, request.customers.byteLength / 48);
    });
  }

  chooseActions(request: ChooseActionsRequest, ask: Ask): Promise<ChooseActionsResponse> {
    return this.call('ChooseActions', ask, async (options) => {
      const response = await this.client.chooseActions(request, options);
      return checkRows(response, response.without.byteLength / 8, request.rows?.rows ?? 0);
    });
  }

  predictDemand(request: PredictDemandRequest, ask: Ask): Promise<PredictDemandResponse> {
    return this.call('PredictDemand', ask, async (options) => {
      const response = await this.client.predictDemand(request, options);
      return checkRows(response, response.medianUnits.byteLength / 8, request.rows?.rows ?? 0);
    });
  }

  private async call<R>(rpc: Rpc, ask: Ask, run: (options: CallOptions) => Promise<R>): Promise<R> {
    const { tenantId, deadlineMs, subject, isTrial = false } = ask;
    if (deadlineMs < LEAST_DEADLINE_MS) {
      throw new DomainError(
        'INFERENCE_DEADLINE_EXCEEDED',
        'the budget was used up before the worker was asked',
      );
    }
    const endTimer = this.metrics.calls.startTimer({ rpc });
    const span = activeSpan()?.child(`inference ${rpc}`, {
      kind: 'client',
      attributes: { 'rpc.method': rpc },
    });
    try {
      const response = await run({
        deadlineMs,
        tenant: tenantId,
        priority: isTrial ? 'low' : 'high',
        ...(isTrial && { counted: false }),
        ...(span && { traceparent: span.traceparent }),
        ...(span?.tracestate && { tracestate: span.tracestate }),
        ...(subject === undefined ? {} : { routingKey: subject }),
      });
      endTimer({ outcome: 'ok' });
      return response;
    } catch (error) {
      const outcome = error instanceof DomainError ? error.code : 'INTERNAL';
      endTimer({ outcome });
      span?.fail(outcome);
      throw error;
    } finally {
      span?.end();
    }
  }
}

/** Whom a call is about when all its rows are about the same one. */
export function soleSubject(subjects: readonly string[]): string | undefined {
  const [first] = subjects;
  return subjects.every((subject) => subject === first) ? first : undefined;
}

function checkRows<R>(response: R, got: number, expected: number): R {
  if (got === expected) return response;
  throw new DomainError('INFERENCE_FAILED', `the worker answered ${got} rows for ${expected}`);
}
