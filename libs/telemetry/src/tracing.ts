import { DomainError } from '@sextant/domain';

export type SpanKind = 'server' | 'client' | 'internal';
export type AttributeValue = string | number | boolean;

/** W3C trace context of a caller, as it came over the wire. */
export interface RemoteParent {
  traceparent?: string | undefined;
  tracestate?: string | undefined;
}

export interface SpanDetails {
  kind?: SpanKind;
  attributes?: Readonly<Record<string, AttributeValue>>;
  /** spans that this one has to do with and is no child of */
  links?: readonly TraceSpan[];
  /** epoch milliseconds; now when absent */
  startedAt?: number;
}

/** A piece of work in a trace. Where the trace is not sampled it costs next to nothing and is passed on as not sampled. */
export interface TraceSpan {
  /** whether anybody will see it; attributes that are dear to compute wait for this */
  readonly isRecording: boolean;
  /** W3C trace context to hand to whom this work calls */
  readonly traceparent: string;
  readonly tracestate: string | undefined;
  child(name: string, details?: SpanDetails): TraceSpan;
  set(attributes: Readonly<Record<string, AttributeValue>>): void;
  /** Marks the work as failed. @param reason  without personal data */
  fail(reason: string): void;
  /** @param at  epoch milliseconds; now when absent */
  end(at?: number): void;
}

export interface Tracing {
  /** Work that somebody asked for, or that begins a trace where nobody did. A trace context that is none begins one too. */
  span(name: string, parent: RemoteParent, details?: SpanDetails): TraceSpan;
  /** Exports what is left; never rejects. */
  close(): Promise<void>;
}

export interface TracingOptions {
  /** `service.name` unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say otherwise */
  service: string;
  version?: string;
  /** told when spans cannot be exported */
  onProblem(message: string): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Tracing by the standard variables of OpenTelemetry. Without OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) nothing is
 * loaded and nothing connects. Spans go out as OTLP over HTTP with JSON, which every collector takes beside protobuf.
 *
 * @param env  must be the process's own environment: the SDK reads the other OTEL_ variables (sampler, headers, batches) from there
 * @returns null when tracing is off
 * @throws DomainError CONFIG_INVALID for an exporter or a protocol that is not offered
 */
export async function loadTracing(env: Environment, options: TracingOptions): Promise<Tracing | null> {
  if (!isWanted(env)) return null;
  const { startOtlpTracing } = await import('./otlp-tracing.js');
  return startOtlpTracing(options);
}

function isWanted(env: Environment): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (!endpoint) return false;
  const exporter = env['OTEL_TRACES_EXPORTER'] || 'otlp';
  if (exporter === 'none') return false;
  if (exporter !== 'otlp') throw notOffered('OTEL_TRACES_EXPORTER', exporter, 'otlp or none');
  const protocol = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] || env['OTEL_EXPORTER_OTLP_PROTOCOL'];
  if (protocol?.startsWith('grpc')) {
    throw notOffered(
      'OTEL_EXPORTER_OTLP_PROTOCOL',
      protocol,
      "http/json, with the endpoint of the collector's HTTP port",
    );
  }
  if (!URL.canParse(endpoint)) throw notOffered('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint, 'a URL');
  return true;
}

function notOffered(variable: string, value: string, wanted: string): DomainError {
  return new DomainError('CONFIG_INVALID', `${variable} is "${value}", it must be ${wanted}`);
}
