import { DomainError, type ErrorCode } from '@sextant/domain';
import type { ModelRunner } from '../models/model-runner.js';
import type { PreparedTask } from '../models/prepared-task.js';
import type { ServedModel } from '../models/served-model.js';
import { DEVICE_OF } from '../onnx/providers.js';
import type { WorkerMetrics } from '../operations/worker-metrics.js';
import type { BatchLane, BatchTiming } from '../scheduling/batch-lane.js';
import type { CallContext } from '../transport/call-context.js';
import { joinAnswers, servedByField, textField } from './answer-message.js';
import { CollectedAnswers } from './collected-answers.js';
import { DecisionRows } from './decision-lanes.js';
import type { Rpc } from './programs/decision-program.js';
import { type SplitRequest, splitRequest } from './split-request.js';
import { taskOf } from './task-of.js';

export interface DecideParts {
  runner: ModelRunner;
  metrics: WorkerMetrics;
  /** the largest answer, in bytes */
  maxMessageBytes: number;
}

export interface Decision {
  /** of one response message, without `served_by` */
  pieces: Uint8Array[];
  timing: BatchTiming;
}

/** Which tasks a call asks. */
const TASKS: Readonly<Record<Rpc, readonly PreparedTask['task'][]>> = {
  Recommend: ['recommend', 'session'],
  QuotePrices: ['price'],
  PredictDemand: ['price'],
  ScoreLeads: ['lead', 'churn', 'purchase'],
  ForecastValue: ['lifetime'],
  ChooseActions: ['uplift'],
};
/** Response field that says why there are no attributions. */
const REFUSED_FIELD: Partial<Record<Rpc, number>> = { ScoreLeads: 4, QuotePrices: 3 };
/** Attributions may take this share of the time that is left; the rest is kept for answering without them. */
const EXPLAIN_SHARE = 0.7;
/** What keeps attributions from being made and the scores from nothing. */
const WITHOUT_EXPLANATION: readonly ErrorCode[] = [
  'QUEUE_FULL',
  'BATCH_TOO_LARGE',
  'INFERENCE_DEADLINE_EXCEEDED',
  'INFERENCE_FAILED',
];

/**
 * Answers one call. The main thread finds the rows in the message and hands them out; threads decode, run, decide and encode.
 *
 * @param message  the request as it came
 * @returns        pieces of the response message
 * @throws DomainError INVALID_INPUT, FEATURE_VECTOR_MISMATCH, BATCH_TOO_LARGE and what the runner throws
 */
export function decide(
  parts: DecideParts,
  rpc: Rpc,
  message: Uint8Array,
  context: CallContext,
): Promise<Uint8Array[]> {
  const { runner } = parts;
  const request = splitRequest(rpc, message, runner.maxRequestRows);
  const { model, version } = request;
  return runner.with({ model, version, mayOpen: version !== '' }, context, async (served) => {
    taskOf(served, ...TASKS[rpc]);
    runner.assertRowCount(request.rows, rpc === 'ForecastValue' ? 'customers' : 'rows');
    const asked = { parts, rpc, request, served };
    if (!request.explain || !served.explain) return plain(asked, context);
    try {
      return await explained(asked, served.explain, context);
    } catch (error) {
      const reason = reasonToGoOn(error, context);
      parts.metrics.explanationRefused(rpc, reason);
      return [...(await plain(asked, context)), textField(REFUSED_FIELD[rpc] ?? 0, reason)];
    }
  });
}

interface Asked {
  parts: DecideParts;
  rpc: Rpc;
  request: SplitRequest;
  served: ServedModel;
}

async function plain(asked: Asked, context: CallContext): Promise<Uint8Array[]> {
  const { decide: lane, provider } = asked.served;
  if (lane === null) throw new RangeError('a model with a task has a lane for its decisions');
  const { pieces, timing } = await answers(asked, lane, context);
  return [servedByOf(asked.served, DEVICE_OF[provider], timing), ...pieces];
}

/** Attributions are made on CPU threads, whatever the model runs on, and so are the answers that carry them. */
async function explained(asked: Asked, lane: BatchLane, context: CallContext): Promise<Uint8Array[]> {
  const deadline = Date.now() + EXPLAIN_SHARE * (context.deadline - Date.now());
  const { pieces, timing } = await answers(asked, lane, withDeadline(context, deadline));
  return [servedByOf(asked.served, DEVICE_OF.cpu, timing), ...pieces];
}

function answers(
  { parts: { runner, maxMessageBytes }, rpc, request }: Asked,
  lane: BatchLane,
  context: CallContext,
): Promise<Decision> {
  const rows = new DecisionRows(rpc, request, lane.options, context.isCounted);
  return new Promise((resolve, reject) => {
    const sink = new CollectedAnswers(maxMessageBytes, {
      resolve: (decided, timing) => resolve({ pieces: joinAnswers(rpc, decided), timing }),
      reject,
    });
    runner.submit(lane, rows, sink, context);
  });
}

function servedByOf(
  { model, version, trainedAt }: ServedModel,
  device: string,
  { queueMs, computeMs, batchRows: batchSize }: BatchTiming,
): Uint8Array {
  return servedByField({ model, version, device, queueMs, computeMs, batchSize, trainedAt });
}

/** @throws the error where it has nothing to do with attributions */
function reasonToGoOn(error: unknown, context: CallContext): string {
  if (context.isCancelled || !(error instanceof DomainError) || !WITHOUT_EXPLANATION.includes(error.code))
    throw error;
  return error.code;
}

function withDeadline(context: CallContext, deadline: number): CallContext {
  const { tenant, priority, isCounted, routingKey, traceparent, tracestate, span, served } = context;
  return {
    deadline,
    tenant,
    priority,
    isCounted,
    routingKey,
    traceparent,
    tracestate,
    span,
    served,
    get isCancelled() {
      return context.isCancelled;
    },
    onCancelled: (listener) => context.onCancelled(listener),
  };
}
