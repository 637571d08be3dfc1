import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { execute } from 'graphql';
import { QuickExecution, type QuickArgs } from './quick-execution.js';

/** What Apollo Server hands to whoever executes in its place. */
interface Execution {
  document: QuickArgs['document'];
  context: unknown;
  request: {
    variables?: Record<string, unknown>;
    operationName?: string;
    http?: { headers: { get(name: string): string | null } };
  };
}

interface Loaded {
  apiSchema: GraphQLSchema;
  coreSupergraphSdl: string;
}

/**
 * Apollo Server's seam for an executor that is not graphql-js: it is made for gateways, and here the schema behind it is the subgraph's own.
 * A request that asks for a trace goes to graphql-js, whose resolvers Apollo then wraps.
 */
export class LocalGateway {
  private readonly quick: QuickExecution;
  private loaded: ((schema: Loaded) => void) | null = null;

  constructor(private readonly schema: GraphQLSchema) {
    this.quick = new QuickExecution(schema);
  }

  onSchemaLoadOrUpdate(loaded: (schema: Loaded) => void): () => void {
    this.loaded = loaded;
    return () => (this.loaded = null);
  }

  async load(): Promise<{ executor(execution: Execution): Promise<ExecutionResult> }> {
    this.loaded?.({ apiSchema: this.schema, coreSupergraphSdl: '' });
    return { executor: (execution) => this.execute(execution) };
  }

  async stop(): Promise<void> {}

  private async execute({ document, context, request }: Execution): Promise<ExecutionResult> {
    const { variables: variableValues = {}, operationName = null, http } = request;
    const args = { document, contextValue: context, variableValues, operationName };
    const isTraced = http?.headers.get('apollo-federation-include-trace') === 'ftv1';
    return isTraced ? execute({ ...args, schema: this.schema }) : this.quick.execute(args);
  }
}
