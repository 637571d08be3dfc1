import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
import { healthService, monitoringService } from '@sextant/inference-protocol';
import {
  decisionsHandlers,
  type DecisionsParts,
  decisionsServiceOverBytes,
} from './decisions/decisions.handler.js';
import { healthHandlers } from './health/health.handler.js';
import type { MonitoringStreams } from './monitoring/monitoring.handler.js';
import { openInferenceServiceOverBytes } from './open-inference/model-infer.handler.js';
import { openInferenceHandlers, type OpenInferenceParts } from './open-inference/open-inference.handler.js';

export interface GrpcOptions {
  maxMessageBytes: number;
  /** calls that one connection may have open; further ones wait in the client */
  maxStreams: number;
  maxConnectionAgeMs: number;
  /** how long calls on a connection that grew too old may take to finish */
  connectionGraceMs: number;
}

/** The gRPC server with all its services; it does not listen yet. */
export function createGrpcServer(
  parts: OpenInferenceParts & Omit<DecisionsParts, 'maxMessageBytes'> & { monitoring: MonitoringStreams },
  options: GrpcOptions,
): Server {
  // What grpc-js would print here comes back as an error of the call that failed, and goes to the log from there.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    'grpc.max_concurrent_streams': options.maxStreams,
    // Its counters are an interface of grpc-js that nothing here reads.
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.max_send_message_length': options.maxMessageBytes,
    'grpc.max_connection_age_ms': options.maxConnectionAgeMs,
    'grpc.max_connection_age_grace_ms': options.connectionGraceMs,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  allowCancellations(server);
  server.addService(openInferenceServiceOverBytes, openInferenceHandlers(parts));
  const { maxMessageBytes } = options;
  server.addService(decisionsServiceOverBytes, decisionsHandlers({ ...parts, maxMessageBytes }));
  server.addService(healthService, healthHandlers(parts));
  server.addService(monitoringService, parts.monitoring.handlers);
  return server;
}

/** Resets a second that a connection may send, and those it may send at once; streams and frames it may be refused. */
const CANCELLATIONS = {
  streamResetRate: 20_000,
  streamResetBurst: 40_000,
  maxSessionRejectedStreams: 1_000_000,
  maxSessionInvalidFrames: 100_000,
};

/**
 * Node ends an HTTP/2 connection, with every call in flight on it, whose client resets more than 33 streams a second. A gRPC client
 * resets one for each call that it cancels or whose deadline passes, under pressure thousands a second, and would lose whole
 * connections; a flood beyond what one core can answer is still cut off. A stream that was cancelled counts as open for a moment, so
 * an honest client at its limit also sends streams too many: those are refused one by one, where Node would end the connection
 * after a hundred. grpc-js has no option for it but hands these on to node:http2 when it binds.
 */
function allowCancellations(server: Server): void {
  Object.assign((server as unknown as { commonServerOptions: object }).commonServerOptions, CANCELLATIONS);
}

/**
 * @returns the port that was opened
 * @throws DomainError CONFIG_INVALID when it cannot be opened
 */
export function listenGrpc(server: Server, port: number, host: string): Promise<number> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, bound) => {
      if (!cause) return resolve(bound);
      const remedy = `PORT ${port} on ${host} cannot be opened: end what holds it or set another PORT or HOST (${cause.message})`;
      reject(new DomainError('CONFIG_INVALID', remedy, { cause }));
    });
  });
}

/** Lets running calls finish, at most `graceMs`. */
export async function shutDownGrpc(server: Server, graceMs: number): Promise<void> {
  const timer = setTimeout(() => server.forceShutdown(), graceMs);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(timer);
}
