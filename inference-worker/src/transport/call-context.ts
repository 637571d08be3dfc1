/** What a core call knows of the wire it came over. */
export interface CallContext {
  /** epoch milliseconds */
  deadline: number;
  /** aborted when the caller cancelled, went away or ran out of time */
  signal: AbortSignal;
  /** W3C trace context of the caller */
  traceparent: string | undefined;
  /** filled in once the model is known; labels of metrics and logs */
  served: { model: string; version: string } | undefined;
}
