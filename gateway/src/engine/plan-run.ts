import { GraphQLError } from 'graphql';
import type { GatewayContext } from '../pipeline/operation.js';
import type { SubgraphAnswer, SubgraphFetch, SubgraphTransport } from './engine.js';
import type { JsonObject } from './json.js';
import type { ResponsePath } from './plan-path.js';

/** One execution of a plan: the data as it grows, and what went wrong. */
export class PlanRun {
  readonly errors: GraphQLError[] = [];

  constructor(
    readonly data: JsonObject,
    readonly variables: Readonly<JsonObject>,
    readonly context: GatewayContext,
    private readonly transport: SubgraphTransport,
  ) {}

  /** Sends one fetch, unless nobody waits for it any more. Never rejects. */
  async fetch(subgraph: string, fetch: Omit<SubgraphFetch, 'context'>): Promise<SubgraphAnswer> {
    const { signal, deadlineMs } = this.context;
    if (signal?.aborted || Date.now() >= deadlineMs) return { errors: [deadlineExceeded(subgraph)] };
    try {
      return await this.transport.execute(subgraph, { ...fetch, context: this.context });
    } catch (error) {
      return { errors: [error instanceof GraphQLError ? error : unexpected(error)] };
    }
  }
}

/** The same error at another place of the response. */
export function relocated(error: GraphQLError, path: ResponsePath): GraphQLError {
  return new GraphQLError(error.message, {
    path,
    extensions: error.extensions,
    originalError: error.originalError ?? null,
  });
}

function deadlineExceeded(subgraph: string): GraphQLError {
  return new GraphQLError(`no time was left to ask the ${subgraph} part of the graph; try again`, {
    extensions: { code: 'SUBGRAPH_DEADLINE_EXCEEDED' },
  });
}

function unexpected(error: unknown): GraphQLError {
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}
