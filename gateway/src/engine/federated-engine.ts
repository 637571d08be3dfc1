import { type ExecutionResult, getVariableValues, GraphQLError, parse } from 'graphql';
import { inSpan } from '../observe/operation-spans.js';
import type { Audience, OperationRequest, PreparedOperation } from '../pipeline/operation.js';
import type { Supergraph } from '../supergraph/supergraph.js';
import { apiSchemaOf, possibleTypesOf } from './api-schema.js';
import { contractOf } from './contract.js';
import type { Engine, EngineOptions, SubgraphAnswer } from './engine.js';
import { OperationPlans, type PlanCounts } from './operation-plans.js';
import { PlanRun, relocated } from './plan-run.js';
import type { ExecutablePlan } from './plan-steps.js';
import { Planner } from './planner.js';
import { PreparedOperations } from './prepared-operations.js';
import { TypeConditions } from './type-conditions.js';

/** Faults of variables that are reported; a batch can hold millions, and each costs a stack trace. */
const MAX_FAULTS = 20;
const NO_VARIABLES: Readonly<Record<string, never>> = Object.freeze({});

/** Executes operations over the subgraphs of one supergraph, along plans of the {@link Planner}. */
export class FederatedEngine implements Engine {
  readonly supergraph: Supergraph;
  private readonly operations: PreparedOperations;
  private readonly plans: OperationPlans;

  constructor(private readonly options: EngineOptions) {
    const document = parse(options.supergraph.sdl, { noLocation: true });
    const company = apiSchemaOf(document);
    this.supergraph = options.supergraph;
    this.operations = new PreparedOperations({
      schemas: { company, partner: apiSchemaOf(contractOf(document, 'partner')), ...options.schemas },
      rules: options.rules,
      checkText: options.checkText,
    });
    this.plans = new OperationPlans(
      new Planner(options.supergraph),
      new TypeConditions(possibleTypesOf(document)),
    );
  }

  /** Of the plans of this engine, since it began. */
  get planCounts(): Readonly<PlanCounts> {
    return this.plans.counts;
  }

  prepare(
    text: string,
    operationName: string | null | undefined,
    audience: Audience,
  ): PreparedOperation | readonly GraphQLError[] {
    return this.operations.get(text, operationName, audience);
  }

  fit(
    { schema, operation }: PreparedOperation,
    variables: Record<string, unknown>,
  ): Record<string, unknown> | readonly GraphQLError[] {
    const declared = operation.variableDefinitions ?? [];
    if (declared.length === 0) return NO_VARIABLES;
    const { coerced, errors } = getVariableValues(schema, declared, variables, { maxErrors: MAX_FAULTS });
    if (!errors) return coerced;
    return errors.map(
      ({ message, nodes }) =>
        new GraphQLError(message, { ...(nodes && { nodes }), extensions: { code: 'BAD_USER_INPUT' } }),
    );
  }

  async execute(request: OperationRequest): Promise<ExecutionResult> {
    const refused = withheldMutations(request);
    if (refused.length > 0) return { errors: refused };
    const { projection, introspection } = this.plans.shape(request);
    const run = this.runOf(request, {});
    if (projection.isFetched) {
      const plan = await this.planOf(request);
      if (plan instanceof GraphQLError) return { errors: [plan] };
      await plan.step(run);
    }
    const data = projection.project(run.data, introspection, run.errors);
    return run.errors.length > 0 ? { errors: run.errors, data } : { data };
  }

  async subscribe(request: OperationRequest): Promise<AsyncIterable<ExecutionResult> | ExecutionResult> {
    const refused = withheldRoots(request);
    if (refused.length > 0) return { errors: refused };
    const plan = await this.planOf(request);
    if (plan instanceof GraphQLError) return { errors: [plan] };
    const { source } = plan;
    if (!source) throw new Error('the plan of a subscription has no source');
    const fetch = { ...source.fill(request.variables), context: request.context };
    const events = this.options.transport.subscribe(source.subgraph, fetch);
    return this.results(events, { request, plan });
  }

  private planOf(request: OperationRequest): Promise<ExecutablePlan | GraphQLError> {
    return inSpan(request.context.span, 'graphql plan', (span) => {
      const { misses } = this.planCounts;
      const plan = this.plans.plan(request);
      span?.set({ 'graphql.plan.kept': this.planCounts.misses === misses });
      return plan.catch(unplanned);
    });
  }

  private async *results(
    events: AsyncIterable<SubgraphAnswer>,
    { request, plan }: { request: OperationRequest; plan: ExecutablePlan },
  ): AsyncGenerator<ExecutionResult> {
    const { projection } = this.plans.shape(request);
    for await (const { data, errors } of events) {
      const run = this.runOf(request, data ?? {});
      const key = plan.source?.keysOf('')[0] ?? '';
      if (errors) run.errors.push(...errors.map((error) => (error.path ? error : relocated(error, [key]))));
      if (data) await plan.step(run);
      const projected = projection.project(run.data, null, run.errors);
      yield run.errors.length > 0 ? { errors: run.errors, data: projected } : { data: projected };
    }
  }

  private runOf({ variables, context }: OperationRequest, data: Record<string, unknown>): PlanRun {
    return new PlanRun(data, variables, context, this.options.transport);
  }
}

/** An operation that the subgraphs cannot answer together, though the schema allows it. */
function unplanned(error: unknown): GraphQLError {
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

/** A mutation that may not be done in part is not done at all. */
function withheldMutations(request: OperationRequest): GraphQLError[] {
  return request.prepared.type === 'mutation' ? withheldRoots(request) : [];
}

function withheldRoots({ prepared, withheld }: OperationRequest): GraphQLError[] {
  if (withheld.size === 0) return [];
  const root = `${prepared.schema.getRootType(prepared.type)?.name}.`;
  return [...withheld].filter(([coordinate]) => coordinate.startsWith(root)).map(([, error]) => error);
}
