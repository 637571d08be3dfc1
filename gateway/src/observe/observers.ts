import type { Logger } from '@sextant/platform';
import type { OperationObserver } from '../pipeline/operation.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import { operationLog } from './operation-log.js';
import { describeSpan } from './operation-spans.js';

/** Who watches operations: metrics, trace and log. */
export function observersOf(
  { SEXTANT_SLOW_OPERATION_MS: slowMs }: { SEXTANT_SLOW_OPERATION_MS: number },
  metrics: GatewayMetrics,
  logger: Logger,
): readonly OperationObserver[] {
  return [
    (served) => metrics.observe(served),
    describeSpan,
    operationLog({ logger, slowMs, clientNames: metrics.clientNames }),
  ];
}
