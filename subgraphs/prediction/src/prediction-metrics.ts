import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DecisionKind } from '@sextant/decision-log';
import type { ServedBy } from './decision/decision.js';

/** What this process tells operators; label values are bounded sets. */
export class PredictionMetrics {
  private readonly decisions: Counter<'kind' | 'rung' | 'reason'>;
  readonly calls: Histogram<'rpc' | 'outcome'>;
  readonly logDropped: Counter;
  readonly logWritten: Counter;
  readonly catalogueReads: Counter<'outcome'>;

  constructor(private readonly registry: Registry) {
    const registers = [registry];
    this.decisions = new Counter({
      name: 'sextant_decisions_total',
      help: 'decisions by kind, rung of the ladder and reason of a fall',
      labelNames: ['kind', 'rung', 'reason'],
      registers,
    });
    this.calls = new Histogram({
      name: 'sextant_inference_call_seconds',
      help: 'calls to the inference worker, by rpc and outcome (ok or error code)',
      labelNames: ['rpc', 'outcome'],
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
      registers,
    });
    this.logDropped = new Counter({
      name: 'sextant_decision_log_dropped_total',
      help: 'decisions that were answered and never logged',
      registers,
    });
    this.logWritten = new Counter({
      name: 'sextant_decision_log_written_total',
      help: 'decisions stored',
      registers,
    });
    this.catalogueReads = new Counter({
      name: 'sextant_catalogue_reads_total',
      help: 'catalogue rows by how they were had: fresh (cache), fetched, stale or failed',
      labelNames: ['outcome'],
      registers,
    });
  }

  countDecision(kind: DecisionKind, { rung, fallbackReason }: ServedBy): void {
    this.decisions.inc({ kind, rung, reason: fallbackReason ?? 'none' });
  }

  watchLog(buffered: () => number): void {
    new Gauge({
      name: 'sextant_decision_log_buffered',
      help: 'decisions that wait to be stored',
      registers: [this.registry],
      collect() {
        this.set(buffered());
      },
    });
  }
}
