import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { PreparedOperation, ServedOperation } from '../pipeline/operation.js';
import { BoundedNames } from './bounded-names.js';
import { codesOf, outcomeOf } from './operation-outcome.js';

/** Names come from clients: so many are told apart, the rest counts as `other`. */
const MAX_OPERATION_NAMES = 200;
const MAX_CLIENT_NAMES = 50;

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const COSTS = [1, 10, 50, 100, 500, 1_000, 2_500, 5_000, 10_000, 50_000];

/** How often a plan was there already, of the engine in force. */
export type PlanCounts = () => Readonly<{ hits: number; misses: number }> | undefined;

/** The gateway's own metrics: rate, errors and duration by operation and client, cost, documents and refusals. */
export class GatewayMetrics {
  readonly registry = new Registry();
  readonly clientNames = new BoundedNames(MAX_CLIENT_NAMES);
  private readonly operationNames = new BoundedNames(MAX_OPERATION_NAMES);
  private readonly requests = this.counter(
    'sextant_gateway_operations_total',
    ['type', 'operation', 'outcome'],
    OUTCOMES,
  );
  private readonly durations = this.histogram('sextant_gateway_operation_seconds', ['type', 'operation'], {
    help: 'time of an operation from its parameters to its answer',
    buckets: SECONDS,
  });
  private readonly clientRequests = this.counter(
    'sextant_gateway_client_operations_total',
    ['client', 'outcome'],
    'the same operations by client: the verified client of the token or key, else the name that it gives itself',
  );
  private readonly clientDurations = this.histogram('sextant_gateway_client_operation_seconds', ['client'], {
    help: 'the same times by client',
    buckets: SECONDS,
  });
  private readonly errors = this.counter(
    'sextant_gateway_errors_total',
    ['code'],
    'errors in answers, by code',
  );
  private readonly refusals = this.counter(
    'sextant_gateway_refused_total',
    ['stage', 'code'],
    'requests of which nothing was done: by HTTP before GraphQL, or as an operation by a limit or a rule',
  );
  private readonly documents = this.counter(
    'sextant_gateway_documents_total',
    ['outcome'],
    'documents that were served: kept (parsed and validated before), new, or invalid',
  );
  private readonly costs = this.histogram('sextant_gateway_operation_cost', ['kind'], {
    help: 'cost of admitted operations: estimated before, actual from the answer',
    buckets: COSTS,
  });
  private readonly rows = this.counter(
    'sextant_gateway_inference_rows_total',
    [],
    'rows of models that answers hold, as the cost of operations counts them',
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  observe({ prepared, context, result, durationMs }: ServedOperation): void {
    const type = prepared?.type ?? 'unknown';
    const operation = prepared ? this.operationNames.of(prepared.name) : 'none';
    const client = this.clientNames.of(context.identity.clientId ?? context.client.name);
    const outcome = outcomeOf(result);
    const seconds = durationMs / 1_000;
    this.requests.inc({ type, operation, outcome });
    this.durations.observe({ type, operation }, seconds);
    this.clientRequests.inc({ client, outcome });
    this.clientDurations.observe({ client }, seconds);
    this.documents.inc({ outcome: documentOutcome(prepared) });
    this.observeCost(context.ledger);
    if (!result.errors) return;
    for (const { extensions } of result.errors)
      this.errors.inc({ code: String(extensions['code'] ?? 'INTERNAL_SERVER_ERROR') });
    if (outcome === 'refused')
      for (const code of codesOf(result.errors)) this.refusals.inc({ stage: 'operation', code });
  }

  /** A request that was refused before GraphQL. */
  refused(code: string): void {
    this.errors.inc({ code });
    this.refusals.inc({ stage: 'http', code });
  }

  /** Tells of the plans of the engine in force, whenever somebody looks. */
  watchPlans(countsOf: PlanCounts): void {
    new Gauge({
      name: 'sextant_gateway_plans',
      help: 'operations since the supergraph in force was loaded whose plan was there (hit) or was made (miss)',
      labelNames: ['outcome'],
      registers: [this.registry],
      collect() {
        const counts = countsOf();
        if (!counts) return;
        this.set({ outcome: 'hit' }, counts.hits);
        this.set({ outcome: 'miss' }, counts.misses);
      },
    });
  }

  private observeCost({
    estimatedCost,
    actualCost,
    inferenceRows,
  }: ServedOperation['context']['ledger']): void {
    if (actualCost === undefined) return;
    if (estimatedCost !== null) this.costs.observe({ kind: 'estimated' }, estimatedCost);
    this.costs.observe({ kind: 'actual' }, actualCost);
    if (inferenceRows) this.rows.inc(inferenceRows);
  }

  private counter<L extends string>(name: string, labelNames: readonly L[], help: string): Counter<L> {
    return new Counter({
      ...{ name, help, labelNames },
      registers: [this.registry],
    });
  }

  private histogram<L extends string>(
    name: string,
    labelNames: readonly L[],
    { help, buckets }: { help: string; buckets: number[] },
  ): Histogram<L> {
    return new Histogram({
      ...{ name, help, labelNames, buckets },
      registers: [this.registry],
    });
  }
}

const OUTCOMES =
  'operations: ok; partial (some fields failed or are closed); refused (nothing done, the client can change it); failed (nothing answered, our fault)';

function documentOutcome(prepared: PreparedOperation | null): 'kept' | 'new' | 'invalid' {
  if (!prepared) return 'invalid';
  return prepared.uses > 1 ? 'kept' : 'new';
}
