import { type Clock, systemClock } from '@sextant/domain';
import { getConnectionToken } from '@nestjs/mongoose';
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
import { CampaignSubgraphModule } from './campaign-subgraph.module.js';

export const campaignConfig = subgraphConfig({ http: 4102, metrics: 9462 });

/** Boots the campaign subgraph: catalogue, campaigns and messages. */
export function startCampaignSubgraph(
  config: SubgraphConfig,
  { clock = systemClock, tracing = null }: { clock?: Clock; tracing?: Tracing | null } = {},
): Promise<RunningSubgraph> {
  const logger = createLogger('campaign', config.LOG_LEVEL);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return startSubgraph(
    {
      name: 'campaign',
      module: CampaignSubgraphModule.of(config, { logger, clock }),
      registry,
      logger,
      tracing,
      checks: (app) => [mongoCheck(app.get(getConnectionToken()))],
    },
    config,
  );
}
