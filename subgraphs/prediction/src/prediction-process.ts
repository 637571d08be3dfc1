import {
  createLogger,
  mongoCheck,
  type RunningSubgraph,
  startSubgraph,
  type Tracing,
} from '@sextant/platform';
import { getConnectionToken } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { PredictionConfig } from './prediction.config.js';
import { PredictionModule } from './prediction.module.js';

/** Boots the subgraph; main.ts and the tests call it. It is ready without a worker: then lower rungs answer. */
export function startPrediction(
  config: PredictionConfig,
  tracing: Tracing | null = null,
): Promise<RunningSubgraph> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const logger = createLogger('prediction', config.LOG_LEVEL);
  const definition = {
    name: 'prediction',
    module: PredictionModule.with({ config, registry, logger }),
    registry,
    logger,
    tracing,
    checks: (app: RunningSubgraph['app']) => [mongoCheck(app.get<Connection>(getConnectionToken()))],
  };
  return startSubgraph(definition, config);
}
