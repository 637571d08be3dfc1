import { FINDING_KINDS, type MonitoringReport } from '@sextant/monitoring';
import { Counter, Gauge, type Registry } from 'prom-client';

/** What the gauges read when they are scraped. */
export interface MonitoringState {
  workers(): { found: number; open: number };
  /** of each model the newest report there is */
  newest(): Promise<readonly MonitoringReport[]>;
}

const VERDICTS = ['stable', 'drifting', 'broken', 'too little data'];

/** What `/metrics` of a trainer says of monitoring. Names: docs/reference/metrics.md. */
export class MonitoringMetrics {
  private readonly collected: Counter;
  private readonly streamFailures: Counter;
  private readonly rounds: Counter;
  private readonly windows: Counter;

  constructor(registry: Registry, state: MonitoringState) {
    const registers = [registry];
    const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
      new Counter({ name, help, labelNames, registers });
    this.collected = counter('sextant_monitoring_collected_total', 'messages of workers that were stored');
    this.streamFailures = counter(
      'sextant_monitoring_stream_failures_total',
      'streams that could not be opened or whose message could not be stored, and look-ups of workers that failed; each is tried again',
    );
    this.rounds = counter(
      'sextant_monitoring_rounds_total',
      'looks at closed windows; outcome is ok or failed',
      ['outcome'],
    );
    this.windows = counter(
      'sextant_monitoring_windows_total',
      'windows of versions that this trainer judged',
      ['verdict'],
    );
    // Prometheus sees no rise of a counter that begins at one.
    for (const outcome of ['ok', 'failed']) this.rounds.inc({ outcome }, 0);
    for (const verdict of VERDICTS) this.windows.inc({ verdict }, 0);
    this.watchWorkers(registers, state);
    this.watchFindings(registers, state);
  }

  stored(): void {
    this.collected.inc();
  }

  streamFailed(): void {
    this.streamFailures.inc();
  }

  roundEnded(outcome: 'ok' | 'failed'): void {
    this.rounds.inc({ outcome });
  }

  judged({ verdict }: MonitoringReport): void {
    this.windows.inc({ verdict: VERDICTS.find((each) => verdict.startsWith(each)) ?? 'other' });
  }

  private watchWorkers(registers: Registry[], state: MonitoringState): void {
    const workers = new Gauge({
      name: 'sextant_monitoring_workers',
      help: 'workers: found, and of them those that are heard now',
      labelNames: ['state'],
      registers,
      collect: () => {
        const { found, open } = state.workers();
        workers.set({ state: 'found' }, found);
        workers.set({ state: 'heard' }, open);
      },
    });
  }

  private watchFindings(registers: Registry[], state: MonitoringState): void {
    const findings = new Gauge({
      name: 'sextant_monitoring_findings',
      help: 'findings in the newest window of each model, by kind; every trainer says the same',
      labelNames: ['model', 'kind'],
      registers,
      collect: async () => {
        const newest = await state.newest().catch(() => null);
        findings.reset();
        for (const report of newest ?? []) this.setFindings(findings, report);
      },
    });
  }

  private setFindings(gauge: Gauge, { model, findings }: MonitoringReport): void {
    for (const kind of FINDING_KINDS)
      gauge.set({ model, kind }, findings.filter((finding) => finding.kind === kind).length);
  }
}
