export { activeSpan, forwardedSpan, runInSpan } from './active-span.js';
export { listenOn, type MetricsPage, OperationsServer, type ReadinessCheck } from './operations-server.js';
export {
  type AttributeValue,
  loadTracing,
  type RemoteParent,
  type SpanDetails,
  type SpanKind,
  type TraceSpan,
  type Tracing,
} from './tracing.js';
