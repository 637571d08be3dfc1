import { Metadata } from '@grpc/grpc-js';

/** Order in which a worker takes waiting rows: those that a person waits for are `high`. */
export type CallPriority = 'high' | 'normal' | 'low';

export interface CallOptions {
  /** Milliseconds from now after which the answer is worthless; travels as the deadline of every attempt. */
  deadlineMs: number;
  /** Aborting cancels the call; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** W3C trace context of the caller, passed on as metadata. */
  traceparent?: string;
  tracestate?: string;
  /** Whose share of the workers the call takes; the tenant of the model when left out. */
  tenant?: string;
  priority?: CallPriority;
  /** False: the call decides nothing (a replay, a what-if, a score of everybody), so that monitoring does not count it. */
  counted?: boolean;
  /** Calls with the same key are answered by the same version of a model while a canary is out. */
  routingKey?: string;
}

/** What gRPC lets through as text. */
const PRINTABLE = /^[ -~]*$/;

/** What of the options travels with each attempt. A trace context that no header can carry is left out; a key keeps its meaning. */
export function metadataOf(options: CallOptions): Metadata {
  const { traceparent, tracestate, tenant, priority, counted, routingKey } = options;
  const metadata = new Metadata();
  if (traceparent !== undefined && PRINTABLE.test(traceparent)) metadata.set('traceparent', traceparent);
  if (tracestate !== undefined && PRINTABLE.test(tracestate)) metadata.set('tracestate', tracestate);
  if (tenant !== undefined) metadata.set('sextant-tenant', asText(tenant));
  if (priority !== undefined) metadata.set('sextant-priority', priority);
  if (counted === false) metadata.set('sextant-counted', 'no');
  if (routingKey !== undefined) metadata.set('sextant-routing-key', asText(routingKey));
  return metadata;
}

function asText(value: string): string {
  return PRINTABLE.test(value) ? value : encodeURIComponent(value);
}
