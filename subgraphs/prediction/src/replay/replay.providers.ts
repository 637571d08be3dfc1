import { DecisionRepository } from '@sextant/decision-log';
import type { DecisionsClient } from '@sextant/inference-protocol';
import type { Provider } from '@nestjs/common';
import { DecisionReader } from '../decision/decision-reader.js';
import { InferenceService } from '../inference/inference.service.js';
import type { PredictionMetrics } from '../prediction-metrics.js';
import { ModelStore } from '../model/model-store.js';
import { VersionContents } from '../what-if/version-contents.js';
import { WhatIfService } from '../what-if/what-if.service.js';
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
      provide: WhatIfService,
      inject: [InferenceService, ModelStore],
      useFactory: (inference: InferenceService, models: ModelStore) =>
        new WhatIfService(inference, new VersionContents(() => models.repository)),
    },
    {
      provide: WindowReplays,
      inject: [DecisionRepository, DecisionReplays],
      useFactory: (repository: DecisionRepository, replays: DecisionReplays) =>
        new WindowReplays(repository, replays),
    },
  ];
}
