import {
  type CallOptions as WireOptions,
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
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
import { toDomainError } from './grpc-status.js';
import { decisionsService } from './service-definitions.js';

export interface CallOptions {
  /** Milliseconds from now after which the answer is worthless; travels as the deadline of the call. */
  deadlineMs: number;
  /** Aborting cancels the call; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** W3C trace context of the caller, passed on as metadata. */
  traceparent?: string;
}

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
  close(): void;
}

export interface DecisionsClientOptions {
  /** `host:port`, or `dns:///name:port` to spread calls over every address of the name */
  address: string;
  maxMessageBytes?: number;
}

const DEFAULT_MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** A second attempt makes sense only while at least this much of the budget is left. */
const LEAST_RETRY_MS = 5;

export function createDecisionsClient({
  address,
  maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES,
}: DecisionsClientOptions): DecisionsClient {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.dns_min_time_between_resolutions_ms': 1000,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 3_000,
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  });
  const bind = <Request, Response>(name: string) => {
    const definition = methodOf<Request, Response>(name);
    return (request: Request, options: CallOptions) => callWithRetry(client, definition, request, options);
  };
  return {
    recommend: bind<RecommendRequest, RecommendResponse>('Recommend'),
    quotePrices: bind<QuotePricesRequest, QuotePricesResponse>('QuotePrices'),
    predictDemand: bind<PredictDemandRequest, PredictDemandResponse>('PredictDemand'),
    scoreLeads: bind<ScoreLeadsRequest, ScoreLeadsResponse>('ScoreLeads'),
    forecastValue: bind<ForecastValueRequest, ForecastValueResponse>('ForecastValue'),
    chooseActions: bind<ChooseActionsRequest, ChooseActionsResponse>('ChooseActions'),
    close: () => client.close(),
  };
}

function methodOf<Request, Response>(name: string): MethodDefinition<Request, Response> {
  const definition = decisionsService[name];
  if (!definition) throw new Error(`decisions.proto defines no ${name}`);
  return definition;
}

/** Inference changes nothing, so that a call that may or may not have arrived can be made again; once, and within the budget. */
async function callWithRetry<Request, Response>(
  client: Client,
  definition: MethodDefinition<Request, Response>,
  request: Request,
  options: CallOptions,
): Promise<Response> {
  const deadline = Date.now() + options.deadlineMs;
  if (!(options.deadlineMs > 0))
    throw new DomainError('INFERENCE_DEADLINE_EXCEEDED', 'no budget was left for the call');
  try {
    return await callOnce(client, definition, request, { ...options, deadline });
  } catch (error) {
    const isWorthwhile =
      isUnavailable(error) && deadline - Date.now() >= LEAST_RETRY_MS && !options.signal?.aborted;
    if (!isWorthwhile) throw error;
    return callOnce(client, definition, request, { ...options, deadline });
  }
}

function isUnavailable(error: unknown): boolean {
  return (
    error instanceof DomainError &&
    (error.cause as Partial<ServiceError> | undefined)?.code === status.UNAVAILABLE
  );
}

function callOnce<Request, Response>(
  client: Client,
  definition: MethodDefinition<Request, Response>,
  request: Request,
  { deadline, signal, traceparent }: Omit<CallOptions, 'deadlineMs'> & { deadline: number },
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const metadata = new Metadata();
    if (traceparent !== undefined) metadata.set('traceparent', traceparent);
    const wire: WireOptions = { deadline };
    const { path, requestSerialize, responseDeserialize } = definition;
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      wire,
      (error, response) => {
        signal?.removeEventListener('abort', cancel);
        if (signal?.aborted) reject(signal.reason);
        else if (error) reject(toDomainError(error));
        else if (response === undefined)
          reject(new DomainError('INFERENCE_FAILED', 'the worker sent an empty answer'));
        else resolve(response);
      },
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
  });
}
