import type { ExecutionResult, GraphQLError, GraphQLSchema, ValidationRule } from 'graphql';
import type { Audience, GatewayContext, OperationRequest, PreparedOperation } from '../pipeline/operation.js';
import type { Supergraph } from '../supergraph/supergraph.js';

/** A fetch of a plan, as it goes to one subgraph. */
export interface SubgraphFetch {
  query: string;
  /** `query` as a JSON string, made once for each plan */
  queryJson: string;
  variables: Record<string, unknown> | undefined;
  /** `variables` as JSON, where the engine has written it already */
  variablesJson?: string;
  operationName: string | undefined;
  operationType: 'query' | 'mutation' | 'subscription';
  context: GatewayContext;
}

/** What a subgraph answered; failures of transport are errors, never rejections. */
export interface SubgraphAnswer {
  data?: Record<string, unknown> | null;
  errors?: readonly GraphQLError[];
}

/** Where fetches go. */
export interface SubgraphTransport {
  /** @param subgraph  its name in the supergraph, as composed */
  execute(subgraph: string, fetch: SubgraphFetch): Promise<SubgraphAnswer>;
  /** One answer for each event of a subscription; the iterator's `return` ends it. */
  subscribe(subgraph: string, fetch: SubgraphFetch): AsyncIterable<SubgraphAnswer>;
}

export interface EngineOptions {
  supergraph: Supergraph;
  transport: SubgraphTransport;
  /** what an audience may ask for; where nothing is given all that is not `@inaccessible`, and of it for partners what is tagged */
  schemas?: Partial<Record<Audience, GraphQLSchema>>;
  /** rules beside those of the specification */
  rules: readonly ValidationRule[];
  /** asked before a text is parsed: what it is refused with */
  checkText?: (text: string) => GraphQLError | undefined;
}

/** One supergraph, made executable. */
export interface Engine {
  readonly supergraph: Supergraph;
  /** how often the plan of an operation was there already, since the engine began */
  readonly planCounts: Readonly<{ hits: number; misses: number }>;
  /** Parses and validates; kept for documents that come again. */
  prepare(
    text: string,
    operationName: string | null | undefined,
    audience: Audience,
  ): PreparedOperation | readonly GraphQLError[];
  /** Variables that fit their types, or what is wrong with them as BAD_USER_INPUT. */
  fit(
    prepared: PreparedOperation,
    variables: Record<string, unknown>,
  ): Record<string, unknown> | readonly GraphQLError[];
  /** Queries and mutations. */
  execute(request: OperationRequest): Promise<ExecutionResult>;
  subscribe(request: OperationRequest): Promise<AsyncIterable<ExecutionResult> | ExecutionResult>;
}

/** The engine in force. What runs on one keeps it until it is released, also when another has taken its place. */
export interface EngineSource {
  lease(): { engine: Engine; release(): void };
}
