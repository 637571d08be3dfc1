import { createHash } from 'node:crypto';
import type { AccessRule, Identity } from '@sextant/domain';
import type { TraceSpan } from '@sextant/platform';
import type {
  DocumentNode,
  ExecutionResult,
  GraphQLError,
  GraphQLSchema,
  OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';
import type { Supergraph } from '../supergraph/supergraph.js';

/** Whom an endpoint is for: `company` sees the whole graph, `partner` what is tagged for partners. */
export type Audience = 'company' | 'partner';

/** What a client says about itself; never trusted for access. */
export interface ClientInfo {
  /** as the client names itself, e.g. `shop-web`; null where it does not */
  name: string | null;
  version: string | null;
  /** address of the peer */
  address: string;
}

/** What one request has used so far. */
export interface Ledger {
  /** fetches sent to subgraphs */
  fetches: number;
  /** fetches that joined an equal one in flight */
  joined: number;
  /** entities and answers taken from a cache */
  cached: number;
  /** static cost as estimated before execution; null before it is known */
  estimatedCost: number | null;
  /** cost of what was answered, once it was */
  actualCost?: number;
  /** rows that were computed for it by models */
  inferenceRows?: number;
}

/** How far a subscription is. */
export interface StreamProgress {
  /** cursor after which it begins; null: now */
  after: string | null;
  /** of the event that is being told */
  cursor: string | null;
  /** Called when the subgraph has the subscription, and while nothing happens: all before this cursor was told. */
  idle(cursor: string | null): void;
}

/** All that is known about who asks, for one request. */
export interface GatewayContext {
  identity: Identity;
  audience: Audience;
  requestId: string;
  client: ClientInfo;
  /** epoch milliseconds after which nobody waits for the answer */
  deadlineMs: number;
  /** the request must not change anything: it came by GET */
  isReadOnly?: boolean;
  /** aborted when the client leaves */
  signal?: AbortSignal;
  /** of the request; absent where neither it nor its client is traced */
  span?: TraceSpan;
  ledger: Ledger;
  /** of subscriptions */
  stream?: StreamProgress;
}

/** The members of a GraphQL request, as they came. */
export interface OperationParams {
  query?: string | null;
  /** id of a persisted document, e.g. `sha256:…` */
  documentId?: string | null;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
  extensions?: Record<string, unknown> | null;
}

/**
 * One operation of a document that was parsed and validated against the schema of its audience. There is one for each text
 * and operation name, shared by all requests: what can be told from the document alone is computed once and kept here.
 */
export class PreparedOperation {
  private readonly notes = new Map<symbol, unknown>();
  private digest: string | null = null;
  /** requests that asked for it so far, this one included */
  uses = 1;

  readonly text: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** what it was validated against */
  readonly schema: GraphQLSchema;
  readonly audience: Audience;

  constructor(from: Pick<PreparedOperation, 'text' | 'document' | 'operation' | 'schema' | 'audience'>) {
    this.text = from.text;
    this.document = from.document;
    this.operation = from.operation;
    this.schema = from.schema;
    this.audience = from.audience;
  }

  get name(): string | null {
    return this.operation.name?.value ?? null;
  }

  get type(): OperationTypeNode {
    return this.operation.operation;
  }

  /** SHA-256 of the text, hexadecimal. */
  get hash(): string {
    this.digest ??= createHash('sha256').update(this.text).digest('hex');
    return this.digest;
  }

  /** What `compute` says about this operation, computed at the first call with this key. */
  memo<T>(key: symbol, compute: (self: PreparedOperation) => T): T {
    if (!this.notes.has(key)) this.notes.set(key, compute(this));
    return this.notes.get(key) as T;
  }
}

/** An operation of one caller, ready to be judged and executed. */
export interface OperationRequest {
  readonly prepared: PreparedOperation;
  /** fitted to their types, defaults filled in */
  readonly variables: Record<string, unknown>;
  readonly context: GatewayContext;
  /** by `Type.field`: selections that are not fetched and answer null, with the error to report for them */
  readonly withheld: Map<string, GraphQLError>;
  /** by `Type.field`: what the fields of the supergraph that answers demand of a caller */
  readonly rules: ReadonlyMap<string, readonly AccessRule[]>;
  /** what answers it */
  readonly supergraph: Supergraph;
}

/** Judges an operation before anything is fetched. */
export interface Guard {
  readonly name: string;
  /** @returns errors that refuse the operation; undefined lets it pass */
  check(
    request: OperationRequest,
  ): readonly GraphQLError[] | undefined | Promise<readonly GraphQLError[] | undefined>;
}

/** Stands around the execution of queries and mutations, outermost first. */
export interface Interceptor {
  around(request: OperationRequest, next: () => Promise<ExecutionResult>): Promise<ExecutionResult>;
}

/** What became of one request; also of one that was refused early. */
export interface ServedOperation {
  /** null when the document could not be prepared */
  prepared: PreparedOperation | null;
  /** as in {@link OperationRequest}; null when it was refused before they were known to fit */
  variables: Record<string, unknown> | null;
  context: GatewayContext;
  result: ExecutionResult;
  /** of preparing, judging and executing */
  durationMs: number;
}

/** Told about every operation after it was served. */
export type OperationObserver = (served: ServedOperation) => void;
