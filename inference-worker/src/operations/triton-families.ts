import { type Family, ReadFamily } from './exposition.js';
import { type Duration, FAILURE_REASONS, type ModelStatistics } from './model-statistics.js';
import type { LaneBacklog } from '../scheduling/batch-observer.js';

const LABELS = ['model', 'version'];

/** The same counters under the names that Triton gives them, so that dashboards made for it work. */
export function tritonFamilies(
  versions: { list(): Iterable<ModelStatistics> },
  backlog: () => Iterable<LaneBacklog>,
): Family[] {
  const counter = (name: string, help: string, value: (of: ModelStatistics) => number): Family =>
    new ReadFamily('counter', { name, help, labels: LABELS }, function* () {
      for (const each of versions.list()) yield { labels: [each.model, each.version], value: value(each) };
    });
  const micros = (name: string, help: string, duration: (of: ModelStatistics) => Duration): Family =>
    counter(`${name}_us`, help, (each) => Math.round(duration(each).ms * 1000));
  return [
    counter('nv_inference_request_success', 'requests that were answered', ({ success }) => success.count),
    failures(versions),
    counter('nv_inference_count', 'rows that ran', ({ inferenceCount }) => inferenceCount),
    counter('nv_inference_exec_count', 'batches that ran', ({ executionCount }) => executionCount),
    micros('nv_inference_request_duration', 'time of answered requests, waiting included', (s) => s.success),
    micros('nv_inference_queue_duration', 'time that requests waited for a thread', (s) => s.queue),
    micros('nv_inference_compute_input_duration', 'time of gathering inputs', (s) => s.computeInput),
    micros('nv_inference_compute_infer_duration', 'time of the run itself', (s) => s.computeInfer),
    micros('nv_inference_compute_output_duration', 'time of handing outputs back', (s) => s.computeOutput),
    pending(backlog),
  ];
}

function failures(versions: { list(): Iterable<ModelStatistics> }): Family {
  const name = 'nv_inference_request_failure';
  const help = 'requests that failed: REJECTED (no room), CANCELED, DEADLINE, BACKEND (the model) or OTHER';
  return new ReadFamily('counter', { name, help, labels: [...LABELS, 'reason'] }, function* () {
    for (const { model, version, failures } of versions.list()) {
      for (const reason of FAILURE_REASONS)
        yield { labels: [model, version, reason], value: failures[reason] };
    }
  });
}

function pending(backlog: () => Iterable<LaneBacklog>): Family {
  const name = 'nv_inference_pending_request_count';
  const help = 'requests that wait for a thread now';
  return new ReadFamily('gauge', { name, help, labels: LABELS }, function* () {
    for (const { model, version, pendingRequests } of backlog())
      yield { labels: [model, version], value: pendingRequests };
  });
}
