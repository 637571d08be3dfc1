import type { LaneBacklog } from '../scheduling/batch-observer.js';
import type { EventLoopWatch } from './event-loop.js';
import { type Family, ReadFamily } from './exposition.js';
import type { ThreadCounts } from './worker-metrics.js';

interface Waiting {
  readonly pendingRows: number;
  oldestWaitMs(): number;
  laneBacklogs(): Iterable<LaneBacklog>;
}

/** What waits, read from the queues at every scrape. */
export function backlogFamilies(waiting: Waiting): Family[] {
  const all = (name: string, help: string, read: () => number): Family =>
    new ReadFamily('gauge', { name, help }, () => [{ value: read() }]);
  const byLane = (name: string, help: string, read: (lane: LaneBacklog) => number): Family =>
    new ReadFamily('gauge', { name, help, labels: ['model', 'version', 'program'] }, function* () {
      for (const lane of waiting.laneBacklogs())
        yield { labels: [lane.model, lane.version, lane.program], value: read(lane) };
    });
  return [
    all(
      'sextant_inference_pending_rows',
      'rows that wait for a thread, all models together; the autoscaler reads it',
      () => waiting.pendingRows,
    ),
    all(
      'sextant_inference_oldest_wait_seconds',
      'age of the oldest waiting rows',
      () => waiting.oldestWaitMs() / 1000,
    ),
    byLane('sextant_inference_lane_pending_rows', 'rows that wait, by queue', (lane) => lane.pendingRows),
    byLane(
      'sextant_inference_lane_oldest_wait_seconds',
      'age of the oldest waiting rows, by queue; 0 when nothing waits',
      (lane) => lane.oldestWaitMs / 1000,
    ),
  ];
}

/** Threads, read from the pool at every scrape; no samples until one is watched. */
export function threadFamilies(pool: { threadCounts(): ThreadCounts | undefined }): Family[] {
  const gauge = (state: keyof ThreadCounts, help: string): Family =>
    new ReadFamily('gauge', { name: `sextant_inference_threads_${state}`, help }, () => {
      const counts = pool.threadCounts();
      return counts ? [{ value: counts[state] }] : [];
    });
  return [
    gauge('alive', 'inference threads that take batches'),
    gauge('busy', 'inference threads that run a batch now'),
  ];
}

export function loopFamily(loop: EventLoopWatch): Family {
  const name = 'sextant_worker_event_loop_delay_seconds';
  const help =
    'how late turns of the main thread came, over the last one to two minutes; quantile 1 is the longest';
  return new ReadFamily('gauge', { name, help, labels: ['quantile'] }, () => {
    const { p50, p99, max } = loop.delay();
    return [
      { labels: ['0.5'], value: p50 / 1000 },
      { labels: ['0.99'], value: p99 / 1000 },
      { labels: ['1'], value: max / 1000 },
    ];
  });
}
