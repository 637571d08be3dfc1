import { createDecisionsClient, type DecisionsClient, type Hedging } from '@sextant/inference-protocol';
import type { Logger } from '@sextant/platform';
import type { Registry } from 'prom-client';
import type { PredictionConfig } from '../prediction.config.js';
import { PoolMetrics } from './pool-metrics.js';

/** A hedge sooner than this would ask twice for what is on its way. */
const LEAST_HEDGE_MS = 2;

/**
 * The client of the workers as the configuration has it, measured and logged.
 *
 * @throws DomainError CONFIG_INVALID when INFERENCE_URL is no address
 */
export function inferenceClient(
  config: PredictionConfig,
  registry: Registry,
  logger: Logger,
): DecisionsClient {
  const metrics = new PoolMetrics(registry, logger);
  const hedging = hedgingOf(config.INFERENCE_HEDGE);
  const client = createDecisionsClient({
    address: config.INFERENCE_URL,
    channelsPerEndpoint: config.INFERENCE_CHANNELS,
    maxAttempts: config.INFERENCE_MAX_ATTEMPTS,
    retryRatio: config.INFERENCE_RETRY_RATIO,
    ...(hedging && { hedging }),
    watchHealth: true,
    observer: metrics,
  });
  metrics.watch(client.pool);
  return client;
}

function hedgingOf(value: string): Hedging | undefined {
  if (value === 'off') return undefined;
  if (value.startsWith('p')) return { quantile: Number(value.slice(1)) / 100, leastDelayMs: LEAST_HEDGE_MS };
  return { delayMs: Number(value) };
}
