import { DomainError, type Identity } from '@sextant/domain';
import {
  createSourceEventStream,
  type DocumentNode,
  execute,
  getOperationAST,
  type ExecutionResult,
  type GraphQLFormattedError,
  type GraphQLSchema,
  parse,
  validate,
} from 'graphql';
import type { RequestContext } from './scope-enforcement.js';

/** The GraphQL context of a subscription field's resolver. */
export interface StreamContext extends RequestContext {
  /** where a stream that was lost goes on, in place of the argument `after` */
  resumeAfter: string | null;
}

/** What a resolver of a subscription field gives: events, and the place that was reached. */
export interface ResumableEvents extends AsyncIterable<unknown> {
  /** cursor after which nothing was handed out yet */
  readonly cursor: string;
}

/** What the gateway asks for. */
export interface StreamRequest {
  query: string;
  variables: Record<string, unknown>;
  operationName: string | null;
  resumeAfter: string | null;
}

/** A subscription that has begun. */
export interface StreamedOperation {
  source: AsyncIterator<unknown> & Partial<Pick<ResumableEvents, 'cursor'>>;
  /** what one event looks like to this subscriber */
  answer(event: unknown): Promise<ExecutionResult>;
}

const KEPT_DOCUMENTS = 200;

/** Subscriptions of one schema, executed an event at a time. */
export class StreamOperations {
  private readonly documents = new Map<string, DocumentNode>();

  /** @param format  what may be seen of an error */
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly format: (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError,
  ) {}

  /** @returns the running subscription, or the result that refuses it, as it may be seen */
  async begin(
    request: StreamRequest,
    identity: Identity,
  ): Promise<StreamedOperation | { errors: readonly GraphQLFormattedError[] }> {
    const document = this.documentOf(request.query);
    if (!('kind' in document)) return document;
    if (getOperationAST(document, request.operationName)?.operation !== 'subscription')
      return {
        errors: [{ message: 'a stream carries a subscription', extensions: { code: 'BAD_REQUEST' } }],
      };
    const contextValue: StreamContext = { identity, resumeAfter: request.resumeAfter };
    const { variables: variableValues, operationName } = request;
    const args = { schema: this.schema, document, variableValues, operationName, contextValue };
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return { errors: this.formatted(source).errors ?? [] };
    return {
      source: (source as AsyncIterable<unknown>)[Symbol.asyncIterator](),
      // a context of its own for each event: what loaders read for one must not be old at the next
      answer: async (rootValue) =>
        this.formatted(await execute({ ...args, rootValue, contextValue: { ...contextValue } })),
    };
  }

  /** An error of the stream itself, as it may be seen. */
  failure(error: unknown): GraphQLFormattedError {
    const message = error instanceof Error ? error.message : String(error);
    return this.format({ message }, error);
  }

  private formatted(
    result: ExecutionResult,
  ): ExecutionResult & { errors?: readonly GraphQLFormattedError[] } {
    if (!result.errors) return result;
    return { ...result, errors: result.errors.map((error) => this.format(error.toJSON(), error)) as never };
  }

  private documentOf(query: string): DocumentNode | { errors: readonly GraphQLFormattedError[] } {
    const known = this.documents.get(query);
    if (known) return known;
    try {
      const document = parse(query, { noLocation: true });
      const errors = validate(this.schema, document);
      if (errors.length > 0) return { errors: errors.map((error) => invalid(error.message)) };
      const [oldest] = this.documents.keys();
      if (this.documents.size >= KEPT_DOCUMENTS && oldest !== undefined) this.documents.delete(oldest);
      this.documents.set(query, document);
      return document;
    } catch (error) {
      return { errors: [invalid(error instanceof Error ? error.message : String(error))] };
    }
  }
}

/** @throws DomainError INVALID_INPUT for a body that is no GraphQL request */
export function readStreamRequest(body: unknown): StreamRequest {
  const { query, variables, operationName, extensions } = (body ?? {}) as Record<string, unknown>;
  if (typeof query !== 'string') throw new DomainError('INVALID_INPUT', 'send a query');
  const after = (extensions as { resumeAfter?: unknown } | null | undefined)?.resumeAfter;
  return {
    query,
    variables: (variables ?? {}) as Record<string, unknown>,
    operationName: typeof operationName === 'string' ? operationName : null,
    resumeAfter: typeof after === 'string' ? after : null,
  };
}

function invalid(message: string): GraphQLFormattedError {
  return { message, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } };
}
