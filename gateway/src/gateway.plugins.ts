import { DomainError } from '@sextant/domain';
import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import { getOperationAST, GraphQLError, type GraphQLSchema } from 'graphql';
import { maxDepth, noIncrementalDelivery } from './limits/document-rules.js';
import { VariableFitting } from './engine/variables.js';
import { FieldAccess } from './access/field-access.js';
import type { GatewayMetrics } from './observe/gateway-metrics.js';
import type { GatewayContext } from './subgraphs/subgraph.transport.js';
import type { Supergraph } from './supergraph/supergraph.js';

/** Deepest nesting of fields; introspection as GraphiQL sends it has 13. */
const MAX_DEPTH = 20;

/** What this gateway adds to execution arguments. */
interface Arguments {
  schema: GraphQLSchema;
  document: Parameters<FieldAccess['denied']>[0]['document'];
  operationName?: string | null;
  variableValues?: Record<string, unknown>;
  contextValue: Partial<GatewayContext>;
}

/** Limits that can be told from the document alone; the verdict is kept with the parsed document. */
export function documentLimits(): GatewayPlugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(maxDepth(MAX_DEPTH));
      addValidationRule(noIncrementalDelivery);
    },
  };
}

/**
 * Scopes: an operation that selects one field which the caller may not see is refused as a whole, before any subgraph
 * hears of it. Answering with the rest would put nulls where the schema promises values.
 */
export function fieldAuthorisation({ rules }: Supergraph): GatewayPlugin {
  const access = new FieldAccess(rules);
  const check = (args: Arguments, stop: (result: { errors: GraphQLError[] }) => void): void => {
    const { identity } = args.contextValue;
    if (!identity)
      return stop({
        errors: [refusal(new DomainError('UNAUTHENTICATED', 'a verified identity is needed'), 401)],
      });
    const { schema, document, operationName, variableValues } = args;
    const operation = {
      schema,
      document,
      ...(operationName && { operationName }),
      ...(variableValues && { variables: variableValues }),
    };
    const denied = access.denied(operation, identity.scopes);
    if (denied.length === 0) return;
    const message = `your token does not open ${denied.slice(0, 10).join(', ')}: take them out of the operation or get a token with their scopes`;
    stop({ errors: [refusal(new DomainError('FORBIDDEN', message), 403)] });
  };
  return {
    onExecute: ({ args, setResultAndStopExecution }) =>
      check(args as unknown as Arguments, setResultAndStopExecution),
    onSubscribe: ({ args, setResultAndStopExecution }) =>
      check(args as unknown as Arguments, setResultAndStopExecution),
  };
}

/** Variables that do not fit are refused here; what goes on is fitted already. Runs after {@link fieldAuthorisation}. */
export function fittedVariables(): GatewayPlugin {
  const fitting = new VariableFitting();
  const fit = (args: Arguments, stop: (result: { errors: GraphQLError[] }) => void): void => {
    const { schema, document, variableValues: variables = {}, operationName } = args;
    const fitted = fitting.fit(schema, { document, variables }, operationName);
    if (Array.isArray(fitted)) return stop({ errors: fitted });
    args.document = fitted.document;
    args.variableValues = fitted.variables;
  };
  return {
    onExecute: ({ args, setResultAndStopExecution }) =>
      fit(args as unknown as Arguments, setResultAndStopExecution),
    onSubscribe: ({ args, setResultAndStopExecution }) =>
      fit(args as unknown as Arguments, setResultAndStopExecution),
  };
}

/** Counts and times each operation. */
export function operationMetrics(metrics: GatewayMetrics): GatewayPlugin {
  return {
    onExecute({ args }) {
      const startedMs = performance.now();
      const operation = getOperationAST(args.document, args.operationName);
      return {
        onExecuteDone({ result }) {
          const errors = 'errors' in result ? (result.errors ?? []) : [];
          metrics.observe({
            type: operation?.operation ?? 'unknown',
            name: operation?.name?.value,
            seconds: (performance.now() - startedMs) / 1_000,
            errorCodes: errors.map(({ extensions }) =>
              String(extensions?.['code'] ?? 'INTERNAL_SERVER_ERROR'),
            ),
          });
        },
      };
    },
  };
}

function refusal(error: DomainError, status: number): GraphQLError {
  return new GraphQLError(error.message, {
    extensions: { code: error.code, http: { status } },
    originalError: error,
  });
}
