import { type FieldNode, type GraphQLError, Kind, visit } from 'graphql';
import type { OperationRequest, PreparedOperation } from '../pipeline/operation.js';
import { introspect } from './introspection.js';
import type { JsonObject } from './json.js';
import { type ExecutablePlan, compilePlan } from './plan-steps.js';
import { asksForSchema, plannedText, withheldNodes } from './planned-text.js';
import type { Planner } from './planner.js';
import { Projection } from './projection.js';
import { SelectedFields } from './selected-fields.js';
import type { TypeConditions } from './type-conditions.js';

/** Plans and projections that one operation keeps, for different conditions and withheld fields. */
const KEPT_OF_AN_OPERATION = 32;

const KEPT = Symbol('plans');

/** What an operation does under one choice of conditions and withheld fields. */
export interface OperationShape {
  projection: Projection;
  introspection: JsonObject | null;
}

interface KeptOfAnOperation {
  plans: Map<string, Promise<ExecutablePlan>>;
  shapes: Map<string, OperationShape>;
  withheld: Map<string, ReadonlyMap<FieldNode, GraphQLError>>;
  /** whether there is `@skip` or `@include` */
  hasConditions: boolean;
  /** variables that decide them */
  deciding: readonly string[];
  asksForSchema: boolean;
}

/** How often a plan was there already. */
export interface PlanCounts {
  hits: number;
  misses: number;
}

/** Plans and projections of operations, kept with the operations themselves. */
export class OperationPlans {
  readonly counts: PlanCounts = { hits: 0, misses: 0 };

  constructor(
    private readonly planner: Planner,
    private readonly types: TypeConditions,
  ) {}

  /** @throws the planner's error, as a rejection */
  plan(request: OperationRequest): Promise<ExecutablePlan> {
    const kept = request.prepared.memo(KEPT, keptOf);
    const percentage = this.planner.drawPercentage();
    const key = `${percentage}\n${shapeKey(request, kept)}`;
    const known = kept.plans.get(key);
    if (known) {
      this.counts.hits += 1;
      return known;
    }
    this.counts.misses += 1;
    const pending = this.make(request, kept, percentage);
    remember(kept.plans, key, pending);
    pending.catch(() => kept.plans.delete(key));
    return pending;
  }

  shape(request: OperationRequest): OperationShape {
    const { prepared, variables, withheld } = request;
    const kept = prepared.memo(KEPT, keptOf);
    const key = shapeKey(request, kept);
    const known = kept.shapes.get(key);
    if (known) return known;
    const shape = shapeOf(prepared, variables, nodesOf(prepared, kept, withheld));
    if (!kept.asksForSchema || (prepared.operation.variableDefinitions ?? []).length === 0)
      remember(kept.shapes, key, shape);
    return shape;
  }

  private async make(
    { prepared, variables, withheld }: OperationRequest,
    kept: KeptOfAnOperation,
    percentage: number,
  ): Promise<ExecutablePlan> {
    const { document, operation, text, name } = prepared;
    const isWhole = withheld.size === 0 && !kept.asksForSchema && !kept.hasConditions;
    const left = { withheld: nodesOf(prepared, kept, withheld), variables };
    const planned = isWhole ? text : plannedText(document, operation, left);
    const plan = await this.planner.plan({ text: planned, operationName: name }, percentage);
    return compilePlan(plan, this.types, (service) => this.planner.nameOf(service));
  }
}

/** What a plan and a projection depend on beside the operation: how its conditions are decided, and what is withheld. */
function shapeKey({ variables, withheld }: OperationRequest, { deciding }: KeptOfAnOperation): string {
  const decided = deciding.map((name) => (variables[name] === true ? '1' : '0')).join('');
  return withheld.size === 0 ? decided : `${decided}\n${keyOf(withheld)}`;
}

type Withholding = ReadonlyMap<string, GraphQLError>;

function keptOf({ document }: PreparedOperation): KeptOfAnOperation {
  const deciding = new Set<string>();
  let hasConditions = false;
  visit(document, {
    Directive({ name, arguments: given }) {
      const value = given?.find((argument) => argument.name.value === 'if')?.value;
      const decides = name.value === 'skip' || name.value === 'include';
      hasConditions ||= decides;
      if (decides && value?.kind === Kind.VARIABLE) deciding.add(value.name.value);
    },
  });
  return {
    plans: new Map(),
    shapes: new Map(),
    withheld: new Map(),
    hasConditions,
    deciding: [...deciding],
    asksForSchema: asksForSchema(document),
  };
}

function nodesOf(
  { schema, document }: PreparedOperation,
  kept: KeptOfAnOperation,
  withheld: Withholding,
): ReadonlyMap<FieldNode, GraphQLError> {
  const key = keyOf(withheld);
  const known = kept.withheld.get(key);
  if (known) return known;
  const nodes = withheldNodes(schema, document, withheld);
  remember(kept.withheld, key, nodes);
  return nodes;
}

function shapeOf(
  prepared: PreparedOperation,
  variables: Readonly<JsonObject>,
  withheld: ReadonlyMap<FieldNode, GraphQLError>,
): OperationShape {
  const { schema, document, operation } = prepared;
  const root = schema.getRootType(operation.operation);
  if (!root) throw new Error(`the schema has no ${operation.operation}`);
  const selected = new SelectedFields({ schema, document, operation, variables, withheld });
  return {
    projection: new Projection(schema, selected, root),
    introspection: introspect(prepared, selected, variables),
  };
}

/** Fields are withheld for what the caller may see, so that their names tell the errors, too. */
function keyOf(withheld: Withholding): string {
  return [...withheld.keys()].sort().join(' ');
}

function remember<T>(kept: Map<string, T>, key: string, value: T): void {
  const [oldest] = kept.keys();
  if (kept.size >= KEPT_OF_AN_OPERATION && oldest !== undefined) kept.delete(oldest);
  kept.set(key, value);
}
