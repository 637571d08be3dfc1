import {
  type DocumentNode,
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  getVariableValues,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { type OperationPlan, planOf } from './operation-plan.js';
import { PlanRun } from './plan-run.js';

/** Wrong variables that are told of one request; as many as graphql-js tells. */
const MOST_VARIABLE_ERRORS = 50;

export type QuickArgs = Pick<
  ExecutionArgs,
  'document' | 'contextValue' | 'rootValue' | 'variableValues' | 'operationName'
>;

/**
 * Executes queries of one schema as graphql-js does, in less time: what a document asks for is worked out once for all requests with it
 * and once for all objects of a list. What is no plain query (see {@link planOf}) goes to graphql-js itself.
 */
export class QuickExecution {
  private readonly plans = new WeakMap<DocumentNode, { plan: OperationPlan | null }>();
  private readonly isSimple: boolean;

  constructor(private readonly schema: GraphQLSchema) {
    // a type that looks at its values itself may do so later; none of ours does
    this.isSimple = Object.values(schema.getTypeMap()).every((type) => !isObjectType(type) || !type.isTypeOf);
  }

  /** @param args.document  valid under the schema, and the same object for equal texts, since its plan is kept with it */
  execute(args: QuickArgs): ExecutionResult | Promise<ExecutionResult> {
    const { schema } = this;
    const { document, contextValue, rootValue } = args;
    const plan = this.planOf(document);
    if (!plan || !isAsked(plan, args.operationName)) return execute({ ...args, schema });
    const definitions = plan.operation.variableDefinitions ?? [];
    const { coerced, errors } = getVariableValues(schema, definitions, args.variableValues ?? {}, {
      maxErrors: MOST_VARIABLE_ERRORS,
    });
    if (!coerced) return { errors };
    return new PlanRun({ schema, plan, contextValue, rootValue, variableValues: coerced }).run();
  }

  private planOf(document: DocumentNode): OperationPlan | null {
    if (!this.isSimple) return null;
    const known = this.plans.get(document);
    if (known) return known.plan;
    const plan = planOf(this.schema, document);
    this.plans.set(document, { plan });
    return plan;
  }
}

function isAsked({ operation }: OperationPlan, name: string | null | undefined): boolean {
  return name === null || name === undefined || operation.name?.value === name;
}
