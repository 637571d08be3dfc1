import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BatchObserver } from '../scheduling/inference-scheduler.js';
import type { LaneOptions } from '../scheduling/batch-lane.js';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** What the gauges read when they are scraped. */
export interface Backlog {
  readonly pendingRows: number;
  oldestWaitMs(now: number): number;
}

export interface FinishedCall {
  rpc: string;
  model: string;
  version: string;
  /** gRPC status name */
  code: string;
  seconds: number;
}

/** The worker's Prometheus instruments; model and version label only what was really served. */
export class WorkerMetrics implements BatchObserver {
  readonly registry = new Registry();
  private readonly registers = [this.registry];

  private readonly domainCalls = new Counter({
    name: 'sextant_worker_rpc_total',
    help: 'calls of sextant.inference.v1.Decisions by rpc, whatever their outcome',
    labelNames: ['rpc'],
    registers: this.registers,
  });
  private readonly requests = new Counter({
    name: 'sextant_inference_requests_total',
    help: 'finished calls; code is the gRPC status',
    labelNames: ['rpc', 'model', 'version', 'code'],
    registers: this.registers,
  });
  private readonly failures = new Counter({
    name: 'sextant_inference_failures_total',
    help: 'finished calls whose status was not OK',
    labelNames: ['rpc', 'model', 'version', 'code'],
    registers: this.registers,
  });
  private readonly duration = new Histogram({
    name: 'sextant_inference_request_seconds',
    help: 'time from the decoded request to the answer',
    labelNames: ['rpc'],
    buckets: SECONDS,
    registers: this.registers,
  });
  private readonly queueTime = new Histogram({
    name: 'sextant_inference_queue_seconds',
    help: 'time that rows waited for a thread, one observation a request part',
    labelNames: ['model', 'program'],
    buckets: SECONDS,
    registers: this.registers,
  });
  private readonly computeTime = new Histogram({
    name: 'sextant_inference_compute_seconds',
    help: 'time of one batch on its thread',
    labelNames: ['model', 'program'],
    buckets: SECONDS,
    registers: this.registers,
  });
  private readonly batchRows = new Histogram({
    name: 'sextant_inference_batch_rows',
    help: 'rows that ran together',
    labelNames: ['model', 'program'],
    buckets: ROWS,
    registers: this.registers,
  });
  private readonly servingVersion = new Gauge({
    name: 'sextant_model_serving_version',
    help: 'version in service by model',
    labelNames: ['model'],
    registers: this.registers,
  });
  private readonly loadFailures = new Counter({
    name: 'sextant_model_load_failures_total',
    help: 'versions that were refused, by model; the version before stays in service',
    labelNames: ['model'],
    registers: this.registers,
  });
  private readonly lostThreads = new Counter({
    name: 'sextant_inference_threads_lost_total',
    help: 'inference threads that ended and were replaced',
    registers: this.registers,
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Gauges that are read from the queue itself at every scrape. */
  watchBacklog(backlog: Backlog): void {
    new Gauge({
      name: 'sextant_inference_pending_rows',
      help: 'rows that wait for a thread, all models together; the autoscaler reads it',
      registers: this.registers,
      collect() {
        this.set(backlog.pendingRows);
      },
    });
    new Gauge({
      name: 'sextant_inference_oldest_wait_seconds',
      help: 'age of the oldest waiting rows',
      registers: this.registers,
      collect() {
        this.set(backlog.oldestWaitMs(Date.now()) / 1000);
      },
    });
  }

  domainCall(rpc: string): void {
    this.domainCalls.inc({ rpc });
  }

  callFinished({ seconds, ...labels }: FinishedCall): void {
    this.requests.inc(labels);
    if (labels.code !== 'OK') this.failures.inc(labels);
    this.duration.observe({ rpc: labels.rpc }, seconds);
  }

  batchTaken({ model, program }: LaneOptions, batch: { rows: number; queueMs: readonly number[] }): void {
    this.batchRows.observe({ model, program }, batch.rows);
    for (const waitedMs of batch.queueMs) this.queueTime.observe({ model, program }, waitedMs / 1000);
  }

  batchDone({ model, program }: LaneOptions, computeMs: number): void {
    this.computeTime.observe({ model, program }, computeMs / 1000);
  }

  modelServing(model: string, version: number): void {
    this.servingVersion.set({ model }, version);
  }

  modelRetired(model: string): void {
    this.servingVersion.remove({ model });
  }

  modelRefused(model: string): void {
    this.loadFailures.inc({ model });
  }

  threadLost(): void {
    this.lostThreads.inc();
  }
}
