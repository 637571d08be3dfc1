import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
import type { TraceSpan } from '@sextant/telemetry';
import { shown } from './shown.js';
import { type CallContext, PRIORITY, type Priority } from './call-context.js';

const PRIORITY_NAMES: ReadonlyMap<string, Priority> = new Map([
  ['', PRIORITY.NORMAL],
  ['high', PRIORITY.HIGH],
  ['normal', PRIORITY.NORMAL],
  ['low', PRIORITY.LOW],
]);

/** Reads what the call's metadata say as late as somebody asks: most calls bring none. */
export class GrpcCallContext implements CallContext {
  served: { model: string; version: string } | undefined;
  span: TraceSpan | undefined;
  /** epoch milliseconds; a request may bring it forward */
  deadline: number;
  private chosenPriority: Priority | undefined;
  private listeners: (() => void)[] | undefined;
  private readonly metadata: Metadata;

  constructor(
    private readonly call: Pick<
      ServerUnaryCall<unknown, unknown>,
      'metadata' | 'cancelled' | 'once' | 'getDeadline'
    >,
    defaultDeadlineMs: number,
  ) {
    const wanted = call.getDeadline();
    const millis = wanted instanceof Date ? wanted.getTime() : wanted;
    this.deadline = Number.isFinite(millis) ? millis : Date.now() + defaultDeadlineMs;
    this.metadata = call.metadata;
  }

  get isCancelled(): boolean {
    return this.call.cancelled;
  }

  /** The caller went away or cancelled while there was time. */
  get wasGivenUp(): boolean {
    return this.call.cancelled && Date.now() < this.deadline;
  }

  get tenant(): string {
    return this.text('sextant-tenant') ?? '';
  }

  get isCounted(): boolean {
    return this.text('sextant-counted') !== 'no';
  }

  get routingKey(): string {
    return this.text('sextant-routing-key') ?? '';
  }

  get traceparent(): string | undefined {
    return this.text('traceparent');
  }

  get tracestate(): string | undefined {
    return this.text('tracestate');
  }

  /** @throws DomainError INVALID_INPUT for a name that is no priority */
  get priority(): Priority {
    if (this.chosenPriority !== undefined) return this.chosenPriority;
    const name = this.text('sextant-priority') ?? '';
    const priority = PRIORITY_NAMES.get(name);
    if (priority === undefined) {
      const message = `the metadata sextant-priority must be high, normal or low, got "${shown(name)}"`;
      throw new DomainError('INVALID_INPUT', message, { path: 'sextant-priority' });
    }
    return (this.chosenPriority = priority);
  }

  set priority(priority: Priority) {
    this.chosenPriority = priority;
  }

  onCancelled(listener: () => void): void {
    if (this.call.cancelled) return listener();
    if (this.listeners) {
      this.listeners.push(listener);
      return;
    }
    const listeners = (this.listeners = [listener]);
    this.call.once('cancelled', () => {
      for (const each of listeners) each();
    });
  }

  private text(key: string): string | undefined {
    return this.metadata.get(key)[0]?.toString();
  }
}
