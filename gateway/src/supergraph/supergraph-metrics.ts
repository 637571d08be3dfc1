import { Counter, Gauge, type Registry } from 'prom-client';

/** Which supergraph is served, and whether a newer one was refused. */
export class SupergraphMetrics {
  private readonly reloads;
  private readonly isStale;
  private readonly loadedAt;

  /** @param engines  how many exist now */
  constructor(registry: Registry, engines: () => number) {
    const registers = [registry];
    this.reloads = new Counter({
      name: 'sextant_gateway_supergraph_reloads_total',
      help: 'supergraphs that were found changed: ok, refused (not valid) or unreadable',
      labelNames: ['outcome'] as const,
      registers,
    });
    this.isStale = new Gauge({
      name: 'sextant_gateway_supergraph_stale',
      help: '1 while the last look at the supergraph found none that can be served and an earlier one is served',
      registers,
    });
    this.loadedAt = new Gauge({
      name: 'sextant_gateway_supergraph_loaded_timestamp_seconds',
      help: 'when the supergraph in force was put in force',
      registers,
    });
    new Gauge({
      name: 'sextant_gateway_engines',
      help: 'engines that exist: the one in force and those that still serve what began before a reload',
      registers,
      collect() {
        this.set(engines());
      },
    });
  }

  loaded(isFirst: boolean): void {
    if (!isFirst) this.reloads.inc({ outcome: 'ok' });
    this.isStale.set(0);
    this.loadedAt.set(Date.now() / 1_000);
  }

  failed(outcome: 'refused' | 'unreadable'): void {
    this.reloads.inc({ outcome });
    this.isStale.set(1);
  }

  readAgain(): void {
    this.isStale.set(0);
  }
}
