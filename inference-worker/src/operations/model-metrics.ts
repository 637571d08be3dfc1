import { CellFamily, type Family, ReadFamily } from './exposition.js';

/** Why a version left the threads. */
export type UnloadReason = 'replaced' | 'retired' | 'idle' | 'evicted' | 'requested';

/** What became of a call that was to run again on a shadow version. */
export interface ShadowRun {
  model: string;
  version: string;
  outcome: 'ok' | 'failed' | 'dropped';
  /** of the shadow's answers from those that the caller had */
  difference?: { values: number; sumAbsolute: number; maxAbsolute: number };
  computeMs?: number;
}

/** What the lifecycle of models counts: rare events, by name. */
export class ModelMetrics {
  private readonly servingVersion = new CellFamily('gauge', {
    name: 'sextant_model_serving_version',
    help: 'version in service by model',
    labels: ['model'],
  });
  private readonly loads = new CellFamily('counter', {
    name: 'sextant_model_loads_total',
    help: 'versions that were brought onto the threads',
    labels: ['model'],
  });
  private readonly loadSeconds = new CellFamily('gauge', {
    name: 'sextant_model_load_seconds',
    help: 'how long the last load took, from the repository to the last warm-up run',
    labels: ['model', 'version'],
  });
  private readonly loadFailures = new CellFamily('counter', {
    name: 'sextant_model_load_failures_total',
    help: 'versions that were refused, by model; the version before stays in service',
    labels: ['model'],
  });
  private readonly refusedVersions = new ReadFamily(
    'gauge',
    {
      name: 'sextant_model_refused_versions',
      help: 'versions that are wanted and refused now; no sample for a model without',
      labels: ['model'],
    },
    () => countsOf(this.refusedNow()).map(([model, value]) => ({ labels: [model], value })),
  );
  private readonly unloads = new CellFamily('counter', {
    name: 'sextant_model_unloads_total',
    help: 'versions that left the threads: replaced, retired, idle, evicted or requested',
    labels: ['model', 'reason'],
  });
  private readonly memory = new CellFamily('gauge', {
    name: 'sextant_model_memory_bytes',
    help: 'memory that a loaded version takes, all threads together, as estimated at load',
    labels: ['model', 'version'],
  });
  private readonly provider = new CellFamily('gauge', {
    name: 'sextant_inference_provider_info',
    help: '1 for the execution provider that serves the version',
    labels: ['model', 'version', 'provider'],
  });
  private readonly providerFailures = new CellFamily('counter', {
    name: 'sextant_inference_provider_failures_total',
    help: 'loads that a provider refused, before the next one in the order was tried',
    labels: ['provider'],
  });
  private readonly canary = new CellFamily('counter', {
    name: 'sextant_model_canary_requests_total',
    help: 'requests that the canary version answered by its share',
    labels: ['model', 'version'],
  });
  private readonly shadow = new CellFamily('counter', {
    name: 'sextant_model_shadow_runs_total',
    help: 'requests that the shadow version ran beside the answer: ok, failed or dropped for want of room',
    labels: ['model', 'version', 'outcome'],
  });
  private readonly shadowValues = new CellFamily('counter', {
    name: 'sextant_model_shadow_values_total',
    help: 'numbers of answers of the shadow version that were compared with those of the live one',
    labels: ['model', 'version'],
  });
  private readonly shadowDifference = new CellFamily('counter', {
    name: 'sextant_model_shadow_absolute_difference_sum',
    help: 'sum of the absolute differences of those numbers',
    labels: ['model', 'version'],
  });
  private readonly shadowLargest = new CellFamily('gauge', {
    name: 'sextant_model_shadow_absolute_difference_max',
    help: 'largest absolute difference of those numbers so far',
    labels: ['model', 'version'],
  });
  private readonly shadowSeconds = new CellFamily('counter', {
    name: 'sextant_model_shadow_compute_seconds_total',
    help: 'time that runs of the shadow version took',
    labels: ['model', 'version'],
  });

  readonly families: readonly Family[] = [
    this.servingVersion,
    this.loads,
    this.loadSeconds,
    this.loadFailures,
    this.refusedVersions,
    this.unloads,
    this.memory,
    this.provider,
    this.providerFailures,
    this.canary,
    this.shadow,
    this.shadowValues,
    this.shadowDifference,
    this.shadowLargest,
    this.shadowSeconds,
  ];

  private refusedNow: () => Iterable<string> = () => [];

  /** @param models  the model of each version that is refused, read at every scrape */
  watchRefused(models: () => Iterable<string>): void {
    this.refusedNow = models;
  }

  serving(model: string, version: number | string): void {
    this.servingVersion.of(model).value = Number(version);
  }

  retired(model: string): void {
    this.servingVersion.forget(model);
  }

  refused(model: string): void {
    this.loadFailures.of(model).value += 1;
  }

  loaded(
    model: string,
    version: string,
    facts: { provider?: string; memoryBytes?: number; loadMs?: number },
  ): void {
    this.loads.of(model).value += 1;
    if (facts.loadMs !== undefined) this.loadSeconds.of(model, version).value = facts.loadMs / 1000;
    if (facts.memoryBytes !== undefined) this.memory.of(model, version).value = facts.memoryBytes;
    if (facts.provider !== undefined) this.servedBy(model, version, facts.provider);
  }

  unloaded(model: string, reason: UnloadReason): void {
    this.unloads.of(model, reason).value += 1;
  }

  /** Forgets what describes a version that is gone. */
  forget(model: string, version: string): void {
    const shadow = [this.shadowValues, this.shadowDifference, this.shadowLargest, this.shadowSeconds];
    const own = [this.loadSeconds, this.memory, this.provider, this.canary, this.shadow];
    for (const family of [...own, ...shadow]) family.forget(model, version);
  }

  servedBy(model: string, version: string, provider: string): void {
    this.provider.forget(model, version);
    this.provider.of(model, version, provider).value = 1;
  }

  /** The provider that serves a version; empty when nobody said. */
  providerOf(model: string, version: string): string {
    for (const [ofModel, ofVersion, provider = ''] of this.provider.labelSets())
      if (ofModel === model && ofVersion === version) return provider;
    return '';
  }

  providerFailed(provider: string): void {
    this.providerFailures.of(provider).value += 1;
  }

  canaryAnswered(model: string, version: string): void {
    this.canary.of(model, version).value += 1;
  }

  shadowRan({ model, version, outcome, difference, computeMs = 0 }: ShadowRun): void {
    this.shadow.of(model, version, outcome).value += 1;
    if (!difference) return;
    this.shadowValues.of(model, version).value += difference.values;
    this.shadowDifference.of(model, version).value += difference.sumAbsolute;
    this.shadowSeconds.of(model, version).value += computeMs / 1000;
    const largest = this.shadowLargest.of(model, version);
    largest.value = Math.max(largest.value, difference.maxAbsolute);
  }
}

function countsOf(names: Iterable<string>): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts];
}
