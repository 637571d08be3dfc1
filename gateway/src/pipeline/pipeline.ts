import { type ExecutionResult, GraphQLError } from 'graphql';
import { inSpan } from '../observe/operation-spans.js';
import type { Engine, EngineSource } from '../engine/engine.js';
import {
  type GatewayContext,
  type Guard,
  type Interceptor,
  type OperationObserver,
  type OperationParams,
  type OperationRequest,
  PreparedOperation,
} from './operation.js';
import { withoutSuggestion } from './suggestions.js';

/** Where the text of an operation comes from: the request itself, or a store of persisted documents. */
export interface DocumentSource {
  /** @throws GraphQLError or DomainError when the request names no document that may run */
  textOf(params: OperationParams, context: GatewayContext): string | Promise<string>;
}

export interface PipelineOptions {
  engines: EngineSource;
  documents: DocumentSource;
  /** in this order; the first that refuses decides */
  guards: readonly Guard[];
  /** outermost first */
  interceptors: readonly Interceptor[];
  observers: readonly OperationObserver[];
  /** told of each document that was looked at and cannot be run */
  onRefusedDocument?: (text: string, context: GatewayContext) => void;
  /** whether a caller may learn names of the schema that it did not send, e.g. from "Did you mean" */
  showsSchema: (context: GatewayContext) => boolean;
  /** what a client may see of an error */
  maskError: (error: unknown) => GraphQLError;
}

/** An operation that is ready to run, or what it is refused with. */
type Admission =
  | { request: OperationRequest }
  | {
      refused: readonly unknown[];
      prepared: PreparedOperation | null;
      /** where they fit */
      variables?: Record<string, unknown>;
    };

/** A subscription that may run; it holds its engine until it is released. */
export interface AdmittedSubscription {
  request: OperationRequest;
  engine: Engine;
  /** its events, each with masked errors; one with errors alone where it cannot begin */
  events(request: OperationRequest): AsyncIterable<ExecutionResult>;
  release(): void;
}

/** The way of every operation, whatever it came over: document, preparation, guards, execution, masking of errors. */
export class Pipeline {
  constructor(private readonly options: PipelineOptions) {}

  /** Runs a query or mutation; a subscription is refused. Never rejects. */
  async run(params: OperationParams, context: GatewayContext): Promise<ExecutionResult> {
    const begun = await this.begin(params, context);
    if (!('events' in begun)) return begun;
    begun.release();
    return this.masked({ errors: [needsStream()] });
  }

  /** Judges a subscription without starting it; a query or mutation is run. Never rejects. */
  async begin(
    params: OperationParams,
    context: GatewayContext,
  ): Promise<AdmittedSubscription | ExecutionResult> {
    const startedMs = performance.now();
    const { engine, release } = this.options.engines.lease();
    let prepared: PreparedOperation | null = null;
    let variables: Record<string, unknown> | null = null;
    let result: ExecutionResult = {};
    let begun: AdmittedSubscription | null = null;
    try {
      const admission = await this.admit(engine, params, context);
      if ('request' in admission) {
        ({ prepared, variables } = admission.request);
        if (prepared.type === 'subscription') begun = this.admitted(engine, admission.request, release);
        else result = await this.execute(engine, admission.request);
      } else {
        prepared = admission.prepared;
        variables = admission.variables ?? null;
        result = { errors: admission.refused as GraphQLError[] };
      }
    } catch (error) {
      result = { errors: [error as GraphQLError] };
    } finally {
      if (!begun) release();
    }
    const masked = this.masked(result);
    const durationMs = performance.now() - startedMs;
    const served = { prepared, variables, context, result: masked, durationMs };
    for (const observe of this.options.observers) observe(served);
    return begun ?? masked;
  }

  /** Decides whether an operation may run, without running it. */
  async admit(engine: Engine, params: OperationParams, context: GatewayContext): Promise<Admission> {
    const text = await this.options.documents.textOf(params, context);
    const prepared = inSpan(context.span, 'graphql prepare', (span) => {
      const found = engine.prepare(text, params.operationName, context.audience);
      span?.set({ 'graphql.document.kept': found instanceof PreparedOperation && found.uses > 1 });
      return found;
    });
    if (!(prepared instanceof PreparedOperation)) {
      this.options.onRefusedDocument?.(text, context);
      return { refused: this.asShownTo(context, prepared), prepared: null };
    }
    const variables = engine.fit(prepared, params.variables ?? {});
    if (isRefusal(variables)) return { refused: this.asShownTo(context, variables), prepared };
    const { supergraph } = engine;
    const { rules } = supergraph;
    const withheld = new Map<string, GraphQLError>();
    const request: OperationRequest = { prepared, variables, context, withheld, rules, supergraph };
    for (const guard of this.options.guards) {
      const pending = guard.check(request);
      const refused = pending instanceof Promise ? await pending : pending;
      if (refused) return { refused, prepared, variables };
    }
    return { request };
  }

  private execute(engine: Engine, request: OperationRequest): Promise<ExecutionResult> {
    let next = (): Promise<ExecutionResult> => engine.execute(request);
    for (const interceptor of this.options.interceptors.toReversed()) {
      const inner = next;
      next = () => interceptor.around(request, inner);
    }
    return next();
  }

  private admitted(engine: Engine, request: OperationRequest, release: () => void): AdmittedSubscription {
    const events = (given: OperationRequest) => this.maskedEvents(() => engine.subscribe(given));
    return { request, engine, events, release };
  }

  private asShownTo(context: GatewayContext, errors: readonly GraphQLError[]): readonly GraphQLError[] {
    return this.options.showsSchema(context) ? errors : errors.map(withoutSuggestion);
  }

  private masked(result: ExecutionResult): ExecutionResult {
    if (!result.errors) return result;
    return { ...result, errors: result.errors.map(this.options.maskError) };
  }

  private async *maskedEvents(
    subscribe: () => ReturnType<Engine['subscribe']>,
  ): AsyncGenerator<ExecutionResult> {
    try {
      const events = await subscribe();
      if (!(Symbol.asyncIterator in events)) yield this.masked(events);
      else for await (const event of events) yield this.masked(event);
    } catch (error) {
      yield this.masked({ errors: [error as GraphQLError] });
    }
  }
}

function needsStream(): GraphQLError {
  const message = 'a subscription needs a stream: accept text/event-stream, or send it over a WebSocket';
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
}

function isRefusal(
  value: Record<string, unknown> | readonly GraphQLError[],
): value is readonly GraphQLError[] {
  return Array.isArray(value);
}
