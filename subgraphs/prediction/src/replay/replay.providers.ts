import { DecisionRepository } from '@sextant/decision-log';
import type { DecisionsClient } from '@sextant/inference-protocol';
import type { Provider } from '@nestjs/common';
import { DecisionReader } from '../decision/decision-reader.js';
import { InferenceService } from '../inference/inference.service.js';
import type { PredictionMetrics } from '../prediction-metrics.js';
import { DecisionReplays } from './decision-replays.js';
import { WindowReplays } from './window-replays.js';

/** @param client  token of the workers' client */
export function replayProviders(client: symbol, metrics: PredictionMetrics): Provider[] {
  return [
    {
      provide: InferenceService,
      inject: [client],
      useFactory: (decisions: DecisionsClient) => new InferenceService(decisions, metrics),
    },
    {
      provide: DecisionReplays,
      inject: [InferenceService, DecisionReader],
      useFactory: (inference: InferenceService, reader: DecisionReader) =>
        new DecisionReplays(inference, reader),
    },
    {
      provide: WindowReplays,
      inject: [DecisionRepository, DecisionReplays],
      useFactory: (repository: DecisionRepository, replays: DecisionReplays) =>
        new WindowReplays(repository, replays),
    },
  ];
}
