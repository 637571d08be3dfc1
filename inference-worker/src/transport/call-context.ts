import type { TraceSpan } from '@sextant/telemetry';

/** Priority levels of waiting rows: the lower goes first. BACKGROUND is for work that nobody waits for. */
export const PRIORITY = { HIGH: 1, NORMAL: 2, LOW: 3, BACKGROUND: 4 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

/** What a core call knows of the wire it came over. */
export interface CallContext {
  /** epoch milliseconds */
  readonly deadline: number;
  /** whose share of the threads the call takes; empty: that of the model's tenant */
  readonly tenant: string;
  readonly priority: Priority;
  /** false: the call decides nothing (a replay, a what-if), so that it is not watched */
  readonly isCounted: boolean;
  /** calls with the same key are answered by the same version while a canary is out; empty: none was given */
  readonly routingKey: string;
  /** W3C trace context of the caller */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  /** of the call; absent where it is not traced */
  readonly span?: TraceSpan | undefined;
  /** the caller cancelled, went away or ran out of time */
  readonly isCancelled: boolean;
  /** The listener is called when that happens; at once when it has. */
  onCancelled(listener: () => void): void;
  /** filled in once the model is known; labels of metrics and logs */
  served: { model: string; version: string } | undefined;
}
