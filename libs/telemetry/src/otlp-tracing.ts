import {
  type Attributes,
  type Context,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  type Span,
  SpanKind as OtelKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { parseTraceParent, TraceState } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type {
  AttributeValue,
  RemoteParent,
  SpanDetails,
  SpanKind,
  TraceSpan,
  Tracing,
  TracingOptions,
} from './tracing.js';

const KINDS: Record<SpanKind, OtelKind> = {
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  internal: OtelKind.INTERNAL,
};

/** Ends of what is left to export when the process stops; a collector that hangs must not hold it up. */
const CLOSE_MS = 3_000;

/** The SDK with one batch exporter; sampling, limits and batches follow the OTEL_ variables, parent-based by default. */
export function startOtlpTracing({ service, version, onProblem }: TracingOptions): Tracing {
  const tell = (message: string): void => onProblem(message);
  const silent = (): void => undefined;
  diag.setLogger(
    { error: tell, warn: tell, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const own = new Resource({ 'service.name': service, ...(version && { 'service.version': version }) });
  const resource = Resource.default()
    .merge(own)
    .merge(detectResourcesSync({ detectors: [envDetectorSync] }));
  const spanProcessors = [new BatchSpanProcessor(new OTLPTraceExporter())];
  const provider = new BasicTracerProvider({ resource, spanProcessors });
  const tracer = provider.getTracer('sextant', version);
  return {
    span: (name, parent, details = {}) => begin(tracer, name, contextOf(parent), details),
    close: () => closeWithin(() => provider.shutdown(), onProblem),
  };
}

async function closeWithin(
  shutdown: () => Promise<void>,
  onProblem: (message: string) => void,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
  await Promise.race([shutdown().catch((error: unknown) => onProblem(String(error))), late]);
  clearTimeout(timer);
}

function contextOf({ traceparent, tracestate }: RemoteParent): Context {
  const parent = traceparent === undefined ? null : parseTraceParent(traceparent);
  if (!parent) return ROOT_CONTEXT;
  const spanContext = { ...parent, isRemote: true };
  if (tracestate) spanContext.traceState = new TraceState(tracestate);
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

function begin(tracer: Tracer, name: string, parent: Context, details: SpanDetails): TraceSpan {
  const { kind = 'internal', attributes, links = [], startedAt } = details;
  const span = tracer.startSpan(
    name,
    {
      kind: KINDS[kind],
      ...(attributes && { attributes: attributes as Attributes }),
      ...(startedAt !== undefined && { startTime: startedAt }),
      links: links.flatMap((link) => (link instanceof OtlpSpan ? { context: link.span.spanContext() } : [])),
    },
    parent,
  );
  return new OtlpSpan(tracer, span);
}

class OtlpSpan implements TraceSpan {
  readonly isRecording: boolean;

  constructor(
    private readonly tracer: Tracer,
    readonly span: Span,
  ) {
    this.isRecording = span.isRecording();
  }

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.span.spanContext();
    const flags = (traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0');
    return `00-${traceId}-${spanId}-${flags}`;
  }

  get tracestate(): string | undefined {
    return this.span.spanContext().traceState?.serialize();
  }

  child(name: string, details: SpanDetails = {}): TraceSpan {
    return begin(this.tracer, name, trace.setSpan(ROOT_CONTEXT, this.span), details);
  }

  set(attributes: Readonly<Record<string, AttributeValue>>): void {
    this.span.setAttributes(attributes);
  }

  fail(reason: string): void {
    this.span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
  }

  end(at?: number): void {
    this.span.end(at);
  }
}
