import type { TraceSpan, Tracing } from '@sextant/telemetry';
import type { LaneOptions } from '../scheduling/batch-lane.js';
import type { BatchObserver, FinishedBatch } from '../scheduling/batch-observer.js';
import type { WorkerMetrics } from './worker-metrics.js';

/** Who asks, as far as a trace cares. */
interface Caller {
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

/** Statuses that are the server's fault, by the semantic conventions of OpenTelemetry for gRPC. */
const SERVER_FAULTS = new Set([2, 4, 12, 13, 14, 15]);

/** Probes would bury what matters; nobody looks at their traces. */
const UNTRACED = /^\/grpc\.health\.|\/(ServerLive|ServerReady|ModelReady)$/;

/**
 * The span of a call, part of the caller's trace where there is one.
 *
 * @param path  `/<service>/<method>`
 * @returns undefined where the call is not traced
 */
export function beginCallSpan(tracing: Tracing, path: string, caller: Caller): TraceSpan | undefined {
  if (UNTRACED.test(path)) return undefined;
  const [, service = '', method = ''] = path.split('/');
  return tracing.span(`${service}/${method}`, caller, {
    kind: 'server',
    attributes: { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method },
  });
}

/** @param code  gRPC status code */
export function endCallSpan(
  span: TraceSpan,
  code: number,
  served: { model: string; version: string } | undefined,
): void {
  span.set({
    'rpc.grpc.status_code': code,
    ...(served && { 'sextant.model': served.model, 'sextant.model.version': served.version }),
  });
  if (SERVER_FAULTS.has(code)) span.fail(`gRPC status ${code}`);
  span.end();
}

/** Counts batches, and traces those that carried traced calls. */
export function batchObserver(metrics: WorkerMetrics, tracing: Tracing | null): BatchObserver {
  if (!tracing) return metrics;
  return {
    batchTaken: (lane, batch) => metrics.batchTaken(lane, batch),
    batchRetried: () => metrics.batchRetried(),
    requestShed: (reason) => metrics.requestShed(reason),
    batchDone: (lane, batch) => {
      metrics.batchDone(lane, batch);
      traceBatch(lane, batch, metrics.models.providerOf(lane.model, lane.version));
    },
  };
}

/**
 * Spans of a batch that ran: one of the batch, a child of the first traced call that it carried and linked to all of them, and
 * under each call how long it waited and how long it was computed. Nothing where no call of the batch is traced.
 *
 * @param provider  what the model computed on
 */
function traceBatch(lane: LaneOptions, batch: FinishedBatch, provider: string): void {
  const calls = batch.entries.flatMap(({ ticket, enqueuedAt }) =>
    ticket.span?.isRecording ? [{ span: ticket.span, enqueuedAt }] : [],
  );
  const [first] = calls;
  if (!first) return;
  const at = (instant: number): number => performance.timeOrigin + instant;
  const startedAt = at(batch.startedAt);
  const runAt = startedAt + batch.inputMs;
  const run = first.span.child('batch', {
    links: calls.map(({ span }) => span),
    startedAt,
    attributes: {
      'sextant.model': lane.model,
      'sextant.model.version': lane.version,
      'sextant.program': lane.program,
      'sextant.batch.rows': batch.rows,
      'sextant.batch.requests': batch.entries.length,
      'sextant.batch.mode': batch.mode,
      'sextant.provider': provider,
    },
  });
  for (const { span, enqueuedAt } of calls) {
    span.child('queue', { startedAt: at(enqueuedAt) }).end(startedAt);
    const attributes = { 'sextant.batch.rows': batch.rows, 'sextant.provider': provider };
    span.child('compute', { startedAt: runAt, attributes, links: [run] }).end(runAt + batch.computeMs);
  }
  run.end(at(batch.endedAt));
}
