import { DomainError } from '@sextant/domain';
import type { Logger } from 'pino';
import { STATUS_NAMES } from './model-statistics.js';

/** One line a second of each kind of failure; what came between is counted in the next. */
const PAUSE_MS = 1_000;
/** Paths that name fields only: a key in quotes came from the caller. */
const PLAIN_PATH = /^[A-Za-z_][\w.[\]]*$/;
const TRACE_ID = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const OPERATOR = /while running (\w+) node/;

export interface FailedCall {
  rpc: string;
  /** gRPC status code */
  code: number;
  error: unknown;
  traceparent: string | undefined;
  served: { model: string; version: string } | undefined;
}

/**
 * What the log says of calls that failed. Never a message: those of refusals quote what the caller sent, those of ONNX Runtime may
 * hold values of its rows.
 */
export class FailureLog {
  private readonly kinds = new Map<string, { nextAt: number; suppressed: number }>();

  /** @param now  milliseconds of any steady clock */
  constructor(
    private readonly logger: Logger,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Faults of ours are errors, too much load is a warning, refusals are the caller's to read. */
  callFailed({ rpc, code, error, traceparent, served }: FailedCall): void {
    const status = STATUS_NAMES[code] ?? 'UNKNOWN';
    const isFault = status === 'INTERNAL' || status === 'UNKNOWN';
    const level = isFault ? 'error' : status === 'RESOURCE_EXHAUSTED' ? 'warn' : 'debug';
    if (!this.logger.isLevelEnabled(level)) return;
    const suppressed = this.takeTurn(`${rpc} ${code}`);
    if (suppressed === null) return;
    const traceId = TRACE_ID.exec(traceparent ?? '')?.[1];
    const fields = { rpc, code: status, model: served?.model, version: served?.version, traceId };
    const text = isFault ? 'call failed' : 'call refused';
    this.logger[level]({ ...fields, ...describeError(error), ...(suppressed > 0 && { suppressed }) }, text);
  }

  /** Anything else that may come many times a second. */
  repeated(level: 'warn' | 'error', fields: Readonly<Record<string, unknown>>, text: string): void {
    const suppressed = this.takeTurn(text);
    if (suppressed !== null) this.logger[level]({ ...fields, ...(suppressed > 0 && { suppressed }) }, text);
  }

  /** @returns how many of the kind were left out since its last line; null when this one is left out too */
  private takeTurn(kind: string): number | null {
    const now = this.now();
    const known = this.kinds.get(kind);
    if (known && now < known.nextAt) {
      known.suppressed += 1;
      return null;
    }
    this.kinds.set(kind, { nextAt: now + PAUSE_MS, suppressed: 0 });
    return known?.suppressed ?? 0;
  }
}

/** What may be said of an error without its message: its code and field, or its class and where it was thrown. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const operator = operatorOf(messagesOf(error));
  const node = operator === undefined ? {} : { operator };
  if (error instanceof DomainError) {
    const path = error.path !== undefined && PLAIN_PATH.test(error.path) ? { path: error.path } : {};
    const cause = error.cause instanceof Error ? { cause: error.cause.name } : {};
    return { error: error.code, ...path, ...cause, ...node };
  }
  return { error: error.name, ...node, stack: framesOf(error) };
}

/** The ONNX operator that failed, where a message of ONNX Runtime names it. */
export function operatorOf(message: string): string | undefined {
  return OPERATOR.exec(message)?.[1];
}

function messagesOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message} ${messagesOf(error.cause)}` : error.message;
}

/** The stack without the message that stands before it. */
function framesOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames
    .slice(0, 10)
    .map((line) => line.trim())
    .join('\n');
}
