import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { ServedOperation } from '../pipeline/operation.js';

/** Names of operations come from clients: so many are told apart, the rest counts as `other`. */
const MAX_OPERATION_NAMES = 100;

/** The gateway's own metrics. */
export class GatewayMetrics {
  readonly registry = new Registry();
  private readonly names = new Set<string>();
  private readonly requests = new Counter({
    name: 'sextant_gateway_operations_total',
    help: 'GraphQL operations served',
    labelNames: ['type', 'operation', 'outcome'],
    registers: [this.registry],
  });
  private readonly errors = new Counter({
    name: 'sextant_gateway_errors_total',
    help: 'errors in answers, by code',
    labelNames: ['code'],
    registers: [this.registry],
  });
  private readonly durations = new Histogram({
    name: 'sextant_gateway_operation_seconds',
    help: 'time from plan to answer of an operation',
    labelNames: ['type', 'operation'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  observe({ prepared, result, durationMs }: ServedOperation): void {
    const labels = { type: prepared?.type ?? 'unknown', operation: this.label(prepared?.name) };
    const errors = result.errors ?? [];
    this.requests.inc({ ...labels, outcome: errors.length === 0 ? 'ok' : 'errors' });
    this.durations.observe(labels, durationMs / 1_000);
    for (const { extensions } of errors)
      this.errors.inc({ code: String(extensions['code'] ?? 'INTERNAL_SERVER_ERROR') });
  }

  /** A request that was refused before GraphQL. */
  refused(code: string): void {
    this.errors.inc({ code });
  }

  private label(name: string | null | undefined): string {
    if (!name) return 'anonymous';
    if (this.names.has(name)) return name;
    if (this.names.size >= MAX_OPERATION_NAMES) return 'other';
    this.names.add(name);
    return name;
  }
}
