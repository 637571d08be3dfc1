import type { AttributeValue, TraceSpan } from '@sextant/platform';
import type { OperationObserver } from '../pipeline/operation.js';
import { codesOf, outcomeOf } from './operation-outcome.js';

/** Does a step of an operation in a span of its own, where the request is traced. */
export function inSpan<T>(
  parent: TraceSpan | undefined,
  name: string,
  work: (span: TraceSpan | undefined) => T,
): T {
  if (!parent?.isRecording) return work(undefined);
  const span = parent.child(name);
  const end = (): void => span.end();
  try {
    const outcome = work(span);
    if (outcome instanceof Promise) void outcome.then(end, end);
    else end();
    return outcome;
  } catch (error) {
    end();
    throw error;
  }
}

/** Says on the span of a request which operation it was and how it went; nothing about whom. */
export const describeSpan: OperationObserver = ({ prepared, context, result }) => {
  const { span, ledger, identity, audience } = context;
  if (!span?.isRecording) return;
  const attributes: Record<string, AttributeValue> = {
    'graphql.outcome': outcomeOf(result),
    'sextant.tenant': identity.tenantId,
    'sextant.audience': audience,
    'sextant.fetches': ledger.fetches,
    'sextant.fetches.joined': ledger.joined,
    'sextant.cached': ledger.cached,
  };
  if (prepared) {
    attributes['graphql.operation.type'] = prepared.type;
    attributes['graphql.document.hash'] = prepared.hash;
    if (prepared.name !== null) attributes['graphql.operation.name'] = prepared.name;
  }
  if (ledger.estimatedCost !== null) attributes['sextant.cost.estimated'] = ledger.estimatedCost;
  if (ledger.actualCost !== undefined) attributes['sextant.cost.actual'] = ledger.actualCost;
  if (result.errors) attributes['graphql.error.codes'] = codesOf(result.errors).join(' ');
  span.set(attributes);
};
