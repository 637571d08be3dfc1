import type { Logger } from '@sextant/platform';
import type { OperationObserver, ServedOperation } from '../pipeline/operation.js';
import type { BoundedNames } from './bounded-names.js';
import { codesOf, outcomeOf } from './operation-outcome.js';

export const MAX_LINES_A_SECOND = 100;

export interface OperationLogOptions {
  logger: Logger;
  /** from this many milliseconds on an operation is slow */
  slowMs: number;
  /** as clients are called in metrics, too */
  clientNames: BoundedNames;
}

/**
 * One line for each operation that is worth one: slow ones and those that failed by our fault as warnings, other errors as
 * information, all the rest at the level `debug`. A line tells which operation it was and how it went, and nothing about
 * whom it was: no variables, no document, no subject, no address. Whoever makes operations fail on purpose fills no disk: above
 * {@link MAX_LINES_A_SECOND} lines are counted and left out.
 */
export function operationLog({ logger, slowMs, clientNames }: OperationLogOptions): OperationObserver {
  const mayWrite = lineLimit((leftOut) => logger.warn({ leftOut }, 'too many operations to log each'));
  return (served) => {
    const outcome = outcomeOf(served.result);
    const isSlow = served.durationMs >= slowMs;
    const level = isSlow || outcome === 'failed' ? 'warn' : outcome === 'ok' ? 'debug' : 'info';
    if (!logger.isLevelEnabled(level) || (level !== 'debug' && !mayWrite())) return;
    const line = { ...lineOf(served, clientNames), outcome };
    logger[level](line, isSlow ? 'slow operation' : 'operation');
  };
}

function lineOf({ prepared, context, result, durationMs }: ServedOperation, names: BoundedNames): object {
  const { requestId, identity, audience, client, ledger, span } = context;
  const codes = codesOf(result.errors);
  return {
    requestId,
    ...(span && { traceId: span.traceparent.split('-')[1] }),
    tenant: identity.tenantId,
    audience,
    client: names.of(identity.clientId ?? client.name),
    operation: prepared?.name ?? null,
    ...(prepared && { type: prepared.type, hash: prepared.hash }),
    durationMs: Math.round(durationMs * 10) / 10,
    ...{ fetches: ledger.fetches, joined: ledger.joined, cached: ledger.cached },
    ...(ledger.estimatedCost !== null && { estimatedCost: ledger.estimatedCost }),
    ...(ledger.actualCost !== undefined && { actualCost: ledger.actualCost }),
    ...(codes.length > 0 && { codes }),
  };
}

/** @param onNextSecond  told how many were left out in the second before, when there were any */
function lineLimit(onNextSecond: (leftOut: number) => void): () => boolean {
  let second = 0;
  let lines = 0;
  return () => {
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) {
      if (lines > MAX_LINES_A_SECOND) onNextSecond(lines - MAX_LINES_A_SECOND);
      [second, lines] = [now, 0];
    }
    lines += 1;
    return lines <= MAX_LINES_A_SECOND;
  };
}
