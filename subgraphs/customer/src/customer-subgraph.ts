import { getConnectionToken } from '@nestjs/mongoose';
import { type Clock, systemClock } from '@sextant/domain';
import {
  createLogger,
  mongoCheck,
  type RunningSubgraph,
  startSubgraph,
  type SubgraphConfig,
  subgraphConfig,
  type Tracing,
} from '@sextant/platform';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { CustomerSubgraphModule } from './customer-subgraph.module.js';
import { CustomerMetrics } from './metrics.js';
import { DEFAULT_FOLDING_TIMES, type FoldingTimes, type Surroundings } from './surroundings.js';

export const customerConfig = subgraphConfig({ http: 4101, metrics: 9461 });

/** Boots the customer subgraph: people, accounts, events and features. */
export function startCustomerSubgraph(
  config: SubgraphConfig,
  {
    clock = systemClock,
    foldingTimes = DEFAULT_FOLDING_TIMES,
    tracing = null,
  }: { clock?: Clock; foldingTimes?: FoldingTimes; tracing?: Tracing | null } = {},
): Promise<RunningSubgraph> {
  const logger = createLogger('customer', config.LOG_LEVEL);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const surroundings: Surroundings = {
    clock,
    logger,
    metrics: new CustomerMetrics(registry),
    foldingTimes,
    storeTimeoutMs: config.MONGODB_TIMEOUT_MS,
  };
  return startSubgraph(
    {
      name: 'customer',
      module: CustomerSubgraphModule.of(config, surroundings),
      registry,
      logger,
      tracing,
      checks: (app) => [mongoCheck(app.get(getConnectionToken()))],
    },
    config,
  );
}
