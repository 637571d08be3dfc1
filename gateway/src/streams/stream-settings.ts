import type { IncomingMessage } from 'node:http';
import type { Identity } from '@sextant/domain';
import type { Tracing } from '@sextant/platform';
import type { Audience, GatewayContext } from '../pipeline/operation.js';
import type { ConnectionCount } from './connection-count.js';
import type { StreamHub } from './stream-hub.js';
import type { StreamMetrics } from './stream-metrics.js';

/** What both protocols need. */
export interface StreamServing {
  hub: StreamHub;
  metrics: StreamMetrics;
  connections: ConnectionCount;
  /** null: streams are not traced, the trace context of clients is handed on */
  tracing: Tracing | null;
  /** @throws DomainError UNAUTHENTICATED */
  identify(request: IncomingMessage, audience: Audience): Promise<Identity>;
  /** Whether the same may stay. @throws DomainError UNAUTHENTICATED */
  identifyAgain(request: IncomingMessage, audience: Audience): Promise<Identity>;
  /** told of the body of a POST request before its JSON is read. @throws DomainError RATE_LIMITED */
  onBody(characters: number, caller: Pick<GatewayContext, 'identity' | 'audience'>): void;
  /** told of each request that is refused: its code, and the error when it is unexpected */
  onRefused(code: string, unexpected?: unknown): void;
  /** longest that a query or mutation on a stream may take, milliseconds */
  timeoutMs: number;
  /** subscriptions on one WebSocket */
  subscriptions: number;
}

/** Bytes that may wait for a client that does not read; then its connection is ended, and it resumes by cursor. */
export const MAX_WAITING_BYTES = 1024 * 1024;
