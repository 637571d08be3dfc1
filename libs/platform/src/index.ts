export { ACCESS_DIRECTIVES, accessRulesOf } from './access-directives.js';
export { loadConfig, type SubgraphConfig, subgraphConfig } from './config.js';
export { asDomainError, graphqlErrorFormatter, PROTOCOL_CODES } from './graphql-error.js';
export { createLogger, type Logger, nestLogger } from './logger.js';
export { mongoCheck, mongoModule, mongoOptions } from './mongo.module.js';
export {
  DEADLINE_HEADER,
  IDENTITY_HEADER,
  NONCE_HEADER,
  SIGNATURE_HEADER,
  type SignedRequest,
  signRequest,
  TIME_HEADER,
  verifyRequest,
} from './request-signature.js';
export {
  activeSpan,
  type AttributeValue,
  forwardedSpan,
  listenOn,
  OperationsServer,
  type ReadinessCheck,
  type TraceSpan,
  type Tracing,
} from '@sextant/telemetry';
export { endRequest, operationNameOf, processTracing } from './request-tracing.js';
export { ReplayGuard } from './replay-guard.js';
export { RequestLoaders } from './request-loaders.js';
export {
  type ProvenRequest,
  readSigned,
  refuse,
  RequestRefused,
  type SignatureChecking,
} from './signed-request.js';
export { SubgraphHttpAdapter } from './subgraph-http.adapter.js';
export { EventStreamEndpoint, type StreamEndpointOptions } from './event-stream-endpoint.js';
export { type ResumableEvents, type StreamContext, StreamOperations } from './stream-operation.js';
export { dateTimeScalar, jsonScalar, parseDateTime } from './scalars.js';
export { enforceScopes, type RequestContext } from './scope-enforcement.js';
export { subgraphGraphqlModule } from './subgraph-graphql.module.js';
export {
  type RunningSubgraph,
  runProcess,
  startSubgraph,
  type SubgraphDefinition,
} from './subgraph-service.js';
export { type UserError, withUserErrors } from './user-errors.js';
