import { QueryPlanner } from '@graphql-hive/router-query-planner';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';
import {
  type ASTNode,
  buildASTSchema,
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  parse,
  print,
  specifiedRules,
  validate,
} from 'graphql';
import { type Audience, type OperationRequest, PreparedOperation } from '../pipeline/operation.js';
import type { Engine, EngineOptions, SubgraphAnswer } from './engine.js';
import { VariableFitting } from './variables.js';

const KEPT_OPERATIONS = 1_000;

/** What the planner's executor asks of us for one fetch. */
interface Fetch {
  document: DocumentNode;
  variables?: Record<string, unknown>;
  operationName?: string;
  operationType?: 'query' | 'mutation' | 'subscription';
  context: OperationRequest['context'];
}

type Executor = (request: {
  document: DocumentNode;
  variables: Record<string, unknown>;
  operationType: string;
  operationName?: string | undefined;
  context: unknown;
}) => Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;

/** The engine over the executor of the Hive router's runtime. */
export async function routerEngine(options: EngineOptions): Promise<Engine> {
  const { supergraph, transport } = options;
  const names = new Map(supergraph.subgraphs.map(({ graph, name }) => [graph, name]));
  const printed = new WeakMap<ASTNode, { query: string; queryJson: string }>();
  const textOf = (document: DocumentNode) => {
    const known = printed.get(document);
    if (known) return known;
    const query = print(document);
    const text = { query, queryJson: JSON.stringify(query) };
    printed.set(document, text);
    return text;
  };
  const onSubgraphExecute = (
    subgraph: string,
    fetch: Fetch,
  ): Promise<SubgraphAnswer> | AsyncIterable<SubgraphAnswer> => {
    const { variables, operationName, operationType = 'query', context } = fetch;
    const request = { ...textOf(fetch.document), variables, operationName, operationType, context };
    const name = names.get(subgraph) ?? subgraph;
    return operationType === 'subscription'
      ? transport.subscribe(name, request)
      : transport.execute(name, request);
  };
  const handled = await (
    unifiedGraphHandler as unknown as (given: object) => Promise<{ executor: Executor }>
  )({
    unifiedGraph: buildASTSchema(parse(supergraph.sdl), { assumeValid: true }),
    getUnifiedGraphSDL: () => supergraph.sdl,
    onSubgraphExecute,
  });
  return new RouterEngine(
    options,
    handled.executor,
    buildSchema(new QueryPlanner(supergraph.sdl).consumerSchema, { assumeValid: true }),
  );
}

class RouterEngine implements Engine {
  readonly supergraph;
  private readonly operations = new Map<string, PreparedOperation>();
  private readonly fitting = new VariableFitting();

  constructor(
    private readonly options: EngineOptions,
    private readonly executor: Executor,
    private readonly schema: GraphQLSchema,
  ) {
    this.supergraph = options.supergraph;
  }

  prepare(
    text: string,
    operationName: string | null | undefined,
    audience: Audience,
  ): PreparedOperation | readonly GraphQLError[] {
    const key = `${audience}\n${operationName ?? ''}\n${text}`;
    const known = this.operations.get(key);
    if (known) return known;
    const document = this.parse(text);
    if (document instanceof GraphQLError) return [document];
    const errors = validate(this.schema, document, [...specifiedRules, ...this.options.rules]);
    if (errors.length > 0) return errors.map(asInvalid);
    const operation = getOperationAST(document, operationName);
    if (!operation) return [unknownOperation(operationName)];
    const prepared = new PreparedOperation({ text, document, operation, schema: this.schema, audience });
    const [oldest] = this.operations.keys();
    if (this.operations.size >= KEPT_OPERATIONS && oldest !== undefined) this.operations.delete(oldest);
    this.operations.set(key, prepared);
    return prepared;
  }

  fit({ schema, document, name }: PreparedOperation, variables: Record<string, unknown>) {
    const fitted = this.fitting.fit(schema, { document, variables }, name);
    return Array.isArray(fitted) ? fitted : fitted.variables;
  }

  async execute(request: OperationRequest): Promise<ExecutionResult> {
    return (await this.run(request)) as ExecutionResult;
  }

  subscribe(request: OperationRequest): Promise<AsyncIterable<ExecutionResult> | ExecutionResult> {
    return this.run(request);
  }

  private async run({ prepared, variables, context, withheld }: OperationRequest) {
    const [refused] = withheld.values();
    if (refused) return { errors: [...withheld.values()] };
    const fitted = this.fitting.fit(
      prepared.schema,
      { document: prepared.document, variables },
      prepared.name,
    );
    if (Array.isArray(fitted)) return { errors: fitted };
    return this.executor({
      document: fitted.document,
      variables: fitted.variables,
      operationType: prepared.type,
      operationName: prepared.name ?? undefined,
      context,
    });
  }

  private parse(text: string): DocumentNode | GraphQLError {
    const { maxTokens } = this.options;
    try {
      return parse(text, maxTokens === undefined ? {} : { maxTokens });
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return withCode(error, 'GRAPHQL_PARSE_FAILED');
    }
  }
}

function asInvalid(error: GraphQLError): GraphQLError {
  return error.extensions['code'] === undefined ? withCode(error, 'GRAPHQL_VALIDATION_FAILED') : error;
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  const { nodes, source, positions } = error;
  return new GraphQLError(error.message, {
    nodes,
    source,
    positions,
    extensions: { code, http: { status: 400 } },
  });
}

function unknownOperation(name: string | null | undefined): GraphQLError {
  const message = name
    ? `the document holds no operation ${name}`
    : 'the document holds several operations: name one by operationName';
  return new GraphQLError(message, {
    extensions: { code: 'OPERATION_RESOLUTION_FAILURE', http: { status: 400 } },
  });
}
