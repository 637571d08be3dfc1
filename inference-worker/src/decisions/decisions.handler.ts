import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { decisionsService } from '@sextant/inference-protocol';
import { overBytes } from '../transport/over-bytes.js';
import { type HandlerParts, unaryHandler } from '../transport/unary.handler.js';
import { decide, type DecideParts } from './decide.js';
import { joinPieces } from './join-pieces.js';
import { type Rpc, RPCS } from './programs/decision-program.js';

export interface DecisionsParts extends HandlerParts, DecideParts {}

/** The service with its messages as bytes: threads decode and encode them. */
export const decisionsServiceOverBytes = overBytes(decisionsService, RPCS);

/** `sextant.inference.v1.Decisions`: each call is counted when it arrives. */
export function decisionsHandlers(parts: DecisionsParts): UntypedServiceImplementation {
  const handler = (rpc: Rpc) =>
    unaryHandler(parts, rpc, (message: Uint8Array, context): Promise<Buffer> => {
      parts.metrics.domainCall(rpc);
      return decide(parts, rpc, message, context).then(joinPieces);
    });
  return Object.fromEntries(RPCS.map((rpc) => [rpc, handler(rpc)]));
}
