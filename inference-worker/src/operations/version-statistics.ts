import { TrafficLedger } from '../monitoring/traffic-ledger.js';
import { HistogramFamily } from './exposition.js';
import { Histogram, ROWS, SECONDS } from './histogram.js';
import { CallRecorder, type LaneHistograms, LaneRecorder, ModelStatistics } from './model-statistics.js';

interface VersionEntry {
  statistics: ModelStatistics;
  calls: Map<string, CallRecorder>;
  lanes: Map<string, LaneRecorder>;
  /** loads of this version that were not unloaded yet */
  loads: number;
}

/** Questions about a model are calls, but no requests of it. */
const QUESTIONS = /^(Model(Metadata|Ready|Config|Statistics)|Server|Repository)/;

/** Label value of calls that never came as far as a model. */
export const NO_MODEL = 'none';

/** The counters of every version that was served, made when it is first asked for and dropped when it is unloaded. */
export class VersionStatistics {
  private readonly models = new Map<string, Map<string, VersionEntry>>();
  /** the same by the minute, for who watches */
  readonly traffic = new TrafficLedger();
  readonly requestSeconds = new HistogramFamily(
    {
      name: 'sextant_inference_request_seconds',
      help: 'time from the decoded request to the answer',
      labels: ['rpc', 'model'],
    },
    SECONDS,
  );
  readonly queueSeconds = new HistogramFamily(
    {
      name: 'sextant_inference_queue_seconds',
      help: 'time that rows waited for a thread, one observation a request part; program is score, decide or explain',
      labels: ['model', 'program'],
    },
    SECONDS,
  );
  readonly computeSeconds = new HistogramFamily(
    {
      name: 'sextant_inference_compute_seconds',
      help: 'time of one batch on its thread',
      labels: ['model', 'program'],
    },
    SECONDS,
  );
  readonly batchRows = new HistogramFamily(
    {
      name: 'sextant_inference_batch_rows',
      help: 'rows that ran together',
      labels: ['model', 'program'],
    },
    ROWS,
  );

  /** Every version of every model; calls that named none are left out. */
  *list(): Iterable<ModelStatistics> {
    for (const { statistics } of this.entries()) if (statistics.model !== NO_MODEL) yield statistics;
  }

  *calls(): Iterable<CallRecorder> {
    for (const { calls } of this.entries()) yield* calls.values();
  }

  find(model: string, version: string): ModelStatistics | undefined {
    return this.models.get(model)?.get(version)?.statistics;
  }

  /** Names of the models of which anything was counted. */
  modelNames(): string[] {
    return [...this.models.keys()].filter((model) => model !== NO_MODEL);
  }

  /** Durations of a model's requests, whatever the rpc. */
  requestsOf(model: string): Histogram {
    const answering = [...this.requestSeconds.entries()].filter(([[rpc = '']]) => !QUESTIONS.test(rpc));
    return merged(
      answering.flatMap(([[, of], histogram]) => (of === model ? histogram : [])),
      SECONDS,
    );
  }

  /** What the lanes of a model waited, computed and ran together, whatever the program. */
  lanesOf(model: string): LaneHistograms {
    const all = (family: HistogramFamily, bounds: readonly number[]): Histogram =>
      merged(
        [...family.entries()].flatMap(([[of], histogram]) => (of === model ? histogram : [])),
        bounds,
      );
    return {
      rows: all(this.batchRows, ROWS),
      queueSeconds: all(this.queueSeconds, SECONDS),
      computeSeconds: all(this.computeSeconds, SECONDS),
    };
  }

  call(rpc: string, model: string, version: string): CallRecorder {
    const { calls, statistics } = this.entry(model, version);
    let recorder = calls.get(rpc);
    if (!recorder) {
      const counted = QUESTIONS.test(rpc) ? null : statistics;
      const labels = { rpc, model, version };
      recorder = new CallRecorder(labels, this.requestSeconds.of(rpc, model), counted);
      calls.set(rpc, recorder);
    }
    return recorder;
  }

  lane(model: string, version: string, program: string): LaneRecorder {
    const { lanes, statistics } = this.entry(model, version);
    let recorder = lanes.get(program);
    if (!recorder) {
      const histograms = {
        rows: this.batchRows.of(model, program),
        queueSeconds: this.queueSeconds.of(model, program),
        computeSeconds: this.computeSeconds.of(model, program),
      };
      recorder = new LaneRecorder(statistics, histograms);
      lanes.set(program, recorder);
    }
    return recorder;
  }

  loaded(model: string, version: string): void {
    this.entry(model, version).loads += 1;
  }

  /**
   * Drops the counters of a version once nothing of it is loaded any more: its series end, as Triton's do.
   *
   * @returns whether they were dropped
   */
  unloaded(model: string, version: string): boolean {
    const versions = this.models.get(model);
    const entry = versions?.get(version);
    if (!versions || !entry) return false;
    entry.loads -= 1;
    if (entry.loads > 0) return false;
    versions.delete(version);
    this.traffic.forget(model, version);
    if (versions.size > 0) return true;
    this.models.delete(model);
    for (const family of [this.queueSeconds, this.computeSeconds, this.batchRows]) family.forget(model);
    return true;
  }

  private *entries(): Iterable<VersionEntry> {
    for (const versions of this.models.values()) yield* versions.values();
  }

  private entry(model: string, version: string): VersionEntry {
    let versions = this.models.get(model);
    if (!versions) this.models.set(model, (versions = new Map()));
    let entry = versions.get(version);
    if (!entry) {
      const statistics = new ModelStatistics(model, version, this.traffic.of(model, version));
      entry = { statistics, calls: new Map(), lanes: new Map(), loads: 0 };
      versions.set(version, entry);
    }
    return entry;
  }
}

function merged(parts: readonly Histogram[], bounds: readonly number[]): Histogram {
  const all = new Histogram(bounds);
  for (const part of parts) all.merge(part);
  return all;
}
