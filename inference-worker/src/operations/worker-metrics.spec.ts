import { describe, expect, it } from 'vitest';
import { sample } from '../testing/test-worker.js';
import { WorkerMetrics } from './worker-metrics.js';

const SCORE = { model: 'demo.lead', version: '3', program: 'score' } as const;
const LABELS = '{model="demo.lead",version="3"}';

describe('a call recorder', () => {
  it('counts under our names and under those of Triton', async () => {
    const metrics = new WorkerMetrics();
    const recorder = metrics.recorder('ModelInfer', 'demo.lead', '3');
    recorder.finished(0, 4);
    recorder.finished(0, 6);
    for (const code of [1, 4, 8, 8, 13, 3]) recorder.finished(code, 1);
    const page = await metrics.page();

    const ours = (code: string): string => `{rpc="ModelInfer",model="demo.lead",version="3",code="${code}"}`;
    expect(sample(page, `sextant_inference_requests_total${ours('OK')}`)).toBe(2);
    expect(sample(page, `sextant_inference_failures_total${ours('RESOURCE_EXHAUSTED')}`)).toBe(2);
    expect(page).not.toContain(`sextant_inference_failures_total${ours('OK')}`);
    expect(sample(page, 'sextant_inference_request_seconds_count{rpc="ModelInfer",model="demo.lead"}')).toBe(
      8,
    );
    expect(sample(page, `nv_inference_request_success${LABELS}`)).toBe(2);
    expect(sample(page, `nv_inference_request_duration_us${LABELS}`)).toBe(10_000);
    const failures = (reason: string): number =>
      sample(page, `nv_inference_request_failure{model="demo.lead",version="3",reason="${reason}"}`);
    expect(['REJECTED', 'CANCELED', 'DEADLINE', 'BACKEND', 'OTHER'].map(failures)).toEqual([2, 1, 1, 1, 1]);
  });

  it('of a call that names no model leaves no mark under the names of Triton', async () => {
    const metrics = new WorkerMetrics();
    metrics.recorder('Check').finished(0, 1);
    const page = await metrics.page();
    expect(page).toContain('rpc="Check",model="none",version="none",code="OK"');
    expect(page).not.toContain('nv_inference_request_success{');
  });
});

describe('a lane recorder', () => {
  it('counts rows as inferences, batches as executions, and each part of a batch as a request', async () => {
    const metrics = new WorkerMetrics();
    const lane = metrics.laneRecorder(SCORE);
    for (const waitedMs of [1, 3]) lane.waited(waitedMs);
    lane.taken(5);
    lane.done({ rows: 5, parts: 2, inputMs: 0.1, inferMs: 2, outputMs: 0.3 }, 1_700_000_000_000);
    lane.taken(1);
    lane.done({ rows: 1, parts: 1, inputMs: 0.1, inferMs: 1, outputMs: 0.1 });
    const page = await metrics.page();

    expect(sample(page, `nv_inference_count${LABELS}`)).toBe(6);
    expect(sample(page, `nv_inference_exec_count${LABELS}`)).toBe(2);
    expect(sample(page, `nv_inference_queue_duration_us${LABELS}`)).toBe(4_000);
    expect(sample(page, `nv_inference_compute_infer_duration_us${LABELS}`)).toBe(5_000);
    expect(sample(page, 'sextant_inference_batch_rows_count{model="demo.lead",program="score"}')).toBe(2);
    expect(
      sample(page, 'sextant_inference_compute_seconds_bucket{model="demo.lead",program="score",le="0.001"}'),
    ).toBe(1);
    expect([...(metrics.versions.find('demo.lead', '3')?.batches.keys() ?? [])]).toEqual([5, 1]);
  });
});

describe('the series of a version', () => {
  it('end with its last load', async () => {
    const metrics = new WorkerMetrics();
    const series = async (): Promise<boolean> => (await metrics.page()).includes('version="3"');
    metrics.modelLoaded('demo.lead', '3', { provider: 'cpu', memoryBytes: 10, loadMs: 5 });
    metrics.modelLoaded('demo.lead', '3', { provider: 'cpu' });
    metrics.laneRecorder(SCORE).taken(1);
    metrics.modelUnloaded('demo.lead', '3', 'replaced');
    expect(await series()).toBe(true);
    metrics.modelUnloaded('demo.lead', '3', 'retired');
    expect(await series()).toBe(false);
    expect(sample(await metrics.page(), 'sextant_model_loads_total{model="demo.lead"}')).toBe(2);
  });
});

describe('the page', () => {
  it('shows what waits in the queues and which threads live', async () => {
    const metrics = new WorkerMetrics();
    metrics.watchThreads(() => ({ alive: 3, busy: 2 }));
    metrics.watchBacklog({
      pendingRows: 7,
      oldestWaitMs: () => 250,
      backlog: () => [{ ...SCORE, pendingRequests: 4, pendingRows: 7, oldestWaitMs: 250 }],
    });
    const page = await metrics.page();
    expect(sample(page, 'sextant_inference_pending_rows')).toBe(7);
    expect(sample(page, 'sextant_inference_oldest_wait_seconds')).toBe(0.25);
    expect(sample(page, 'sextant_inference_threads_busy')).toBe(2);
    expect(sample(page, `nv_inference_pending_request_count${LABELS}`)).toBe(4);
  });

  it('escapes what a model may be called', async () => {
    const metrics = new WorkerMetrics();
    metrics.recorder('ModelInfer', 'a"b\\c\nd', '1').finished(0, 1);
    expect(await metrics.page()).toContain(
      'nv_inference_request_success{model="a\\"b\\\\c\\nd",version="1"} 1',
    );
  });
});
