import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { decisionsService } from '@sextant/inference-protocol';
import { type HandlerParts, unaryHandler } from '../transport/unary.handler.js';
import { decide, type DecideParts } from './decide.js';
import { type Rpc, RPCS } from './programs/decision-program.js';

export interface DecisionsParts extends HandlerParts, DecideParts {}

/** The service with its messages as bytes: threads decode and encode them. */
export const decisionsServiceOverBytes: ServiceDefinition = Object.fromEntries(
  Object.entries(decisionsService).map(([name, method]) => [
    name,
    {
      ...method,
      requestDeserialize: (bytes: Buffer): Uint8Array => bytes,
      responseSerialize: (pieces: Uint8Array[]): Buffer => Buffer.concat(pieces),
    },
  ]),
);

/** `sextant.inference.v1.Decisions`: each call is counted when it arrives. */
export function decisionsHandlers(parts: DecisionsParts): UntypedServiceImplementation {
  const handler = (rpc: Rpc) =>
    unaryHandler(parts, rpc, (message: Uint8Array, context): Promise<Uint8Array[]> => {
      parts.metrics.domainCall(rpc);
      return decide(parts, rpc, message, context);
    });
  return Object.fromEntries(RPCS.map((rpc) => [rpc, handler(rpc)]));
}
