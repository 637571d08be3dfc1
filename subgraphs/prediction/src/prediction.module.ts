import { fileURLToPath } from 'node:url';
import { type Clock, DomainError, systemClock } from '@sextant/domain';
import { EventHistory, FeatureStore } from '@sextant/features';
import type { DecisionsClient } from '@sextant/inference-protocol';
import {
  Challenges,
  ModelPolicies,
  ModelVersions,
  TrainingJobs,
  TrainingMembers,
} from '@sextant/model-registry';
import { type Logger, mongoModule, subgraphGraphqlModule } from '@sextant/platform';
import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Module,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { getConnectionToken } from '@nestjs/mongoose';
import type { Db } from 'mongodb';
import type { Connection } from 'mongoose';
import type { Registry } from 'prom-client';
import { BATCH_REPOSITORIES, batchProviders } from './batch/batch.providers.js';
import { CustomerEntityResolver, ProductEntityResolver } from './customer/entity.resolver.js';
import { DecisionReader } from './decision/decision-reader.js';
import { decisionTypeResolvers } from './decision/decision-types.js';
import { DecisionLog } from './decision/decision-log.js';
import { DecisionRepository, EventOutcomes, OutcomeRecorder, OutcomeRepository } from '@sextant/decision-log';
import { DecisionResolver } from './decision/decision.resolver.js';
import { importProviders } from './import/import.providers.js';
import { ImportResolver } from './import/import.resolver.js';
import { DriftResolver } from './monitoring/drift.resolver.js';
import { monitoringProviders } from './monitoring/monitoring.providers.js';
import { ChallengeResolver } from './challenge/challenge.resolver.js';
import { LineageResolver } from './lineage/lineage.resolver.js';
import { ChallengerResolver, LifecycleResolver, VersionRecordResolver } from './model/lifecycle.resolver.js';
import { ModelStore } from './model/model-store.js';
import { ModelVersionResolver } from './model/model-version.resolver.js';
import { ModelResolver } from './model/model.resolver.js';
import { TrainingJobResolver } from './model/training-job.resolver.js';
import { JobNodes } from './node/job-nodes.js';
import { NodeResolver } from './node/node.resolver.js';
import { OwnedNodes } from './node/owned-nodes.client.js';
import { ImportPayloadResolver } from './payload/import-payload.resolver.js';
import { PayloadResolver } from './payload/payload.resolver.js';
import { QuoteResolver } from './pricing/quote.resolver.js';
import { inferenceClient } from './inference/inference-client.js';
import { NextActionResolver } from './next-action/next-action.resolver.js';
import { OutcomeResolver } from './outcome/outcome.resolver.js';
import { ModelPolicyResolver } from './policy/model-policy.resolver.js';
import { TenantPlaybooks } from './policy/tenant-playbooks.js';
import type { PredictionConfig } from './prediction.config.js';
import { PredictionMetrics } from './prediction-metrics.js';
import { neighboursOf, predictionServices } from './prediction-services.js';
import { PredictionSettings } from './prediction.settings.js';
import { quoteKeys } from './pricing/quote-token.js';
import { QuoteVerifier } from './pricing/quote-verifier.js';
import { PriceResolver } from './pricing/price.resolver.js';
import { RecommendationResolver } from './recommendation/recommendation.resolver.js';
import { SimilarProductsResolver } from './recommendation/similar-products.resolver.js';
import { ValueForecastResolver } from './lifetime/value-forecast.resolver.js';
import { LoaderRegistry } from './request-loaders.js';
import { replayProviders } from './replay/replay.providers.js';
import { ReplayResolver } from './replay/replay.resolver.js';
import { streamProviders } from './streams/stream-feeds.js';
import { DriftAlarmResolver, SubscriptionResolver } from './streams/subscription.resolver.js';
import { WhatIfResolver } from './what-if/what-if.resolver.js';
import { ScoreResolver } from './score/score.resolver.js';

const SCHEMA = fileURLToPath(new URL('../schema/*.graphql', import.meta.url));
const DATABASE = Symbol('database');
const INFERENCE_CLIENT = Symbol('inference client');
const INDEXED = Symbol('repositories with indexes');

const RESOLVERS = [
  CustomerEntityResolver,
  ProductEntityResolver,
  RecommendationResolver,
  SimilarProductsResolver,
  ScoreResolver,
  ValueForecastResolver,
  NextActionResolver,
  PriceResolver,
  DecisionResolver,
  OutcomeResolver,
  ReplayResolver,
  WhatIfResolver,
  ModelPolicyResolver,
  ModelResolver,
  ModelVersionResolver,
  ChallengerResolver,
  ChallengeResolver,
  LifecycleResolver,
  VersionRecordResolver,
  TrainingJobResolver,
  LineageResolver,
  DriftResolver,
  ImportResolver,
  SubscriptionResolver,
  DriftAlarmResolver,
  NodeResolver,
  PayloadResolver,
  ImportPayloadResolver,
  JobNodes,
  QuoteResolver,
];

interface Indexed {
  ensureIndexes(): Promise<void>;
}

export interface PredictionModuleOptions {
  config: PredictionConfig;
  registry: Registry;
  logger: Logger;
  clock?: Clock;
}

@Module({})
export class PredictionModule implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    @Inject(INDEXED) private readonly indexed: readonly Indexed[],
    private readonly log: DecisionLog,
    @Inject(INFERENCE_CLIENT) private readonly client: DecisionsClient,
    private readonly models: ModelStore,
  ) {}

  static with({ config, registry, logger, clock = systemClock }: PredictionModuleOptions): DynamicModule {
    const metrics = new PredictionMetrics(registry);
    return {
      module: PredictionModule,
      imports: [
        mongoModule(config),
        subgraphGraphqlModule({
          typePaths: [SCHEMA],
          resolvers: decisionTypeResolvers,
          logger,
        }),
      ],
      providers: [
        {
          provide: INFERENCE_CLIENT,
          useFactory: () => inferenceClient(config, registry, logger),
        },
        { provide: PredictionSettings, useValue: new PredictionSettings(config.DECISION_BUDGET_MS) },
        {
          provide: QuoteVerifier,
          useValue: new QuoteVerifier(quoteKeys(config.SEXTANT_SIGNING_SECRET), clock),
        },
        ...storeProviders(clock),
        ...monitoringProviders(DATABASE, clock),
        ...batchProviders(DATABASE, clock),
        modelStoreProvider(config, clock),
        ...importProviders(config, clock, logger),
        ...decisionProviders(metrics),
        ...streamProviders(logger),
        { provide: OwnedNodes, useValue: new OwnedNodes(neighboursOf(config)) },
        loadersProvider(config, metrics, clock),
        ...RESOLVERS,
      ],
    };
  }

  async onModuleInit(): Promise<void> {
    await Promise.all(this.indexed.map((repository) => repository.ensureIndexes()));
  }

  /** Before the connections go: what was answered is stored. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.log.close();
    await this.client.close();
    await this.models.close();
  }
}

function storeProviders(clock: Clock): Provider[] {
  return [
    { provide: DATABASE, inject: [getConnectionToken()], useFactory: databaseOf },
    { provide: FeatureStore, inject: [DATABASE], useFactory: (db: Db) => new FeatureStore(db) },
    { provide: DecisionRepository, inject: [DATABASE], useFactory: (db: Db) => new DecisionRepository(db) },
    { provide: ModelVersions, inject: [DATABASE], useFactory: (db: Db) => new ModelVersions(db, clock) },
    { provide: TrainingMembers, inject: [DATABASE], useFactory: (db: Db) => new TrainingMembers(db) },
    { provide: Challenges, inject: [DATABASE], useFactory: (db: Db) => new Challenges(db) },
    { provide: TrainingJobs, inject: [DATABASE], useFactory: (db: Db) => new TrainingJobs(db, clock) },
    ...outcomeProviders(clock),
    { provide: ModelPolicies, inject: [DATABASE], useFactory: (db: Db) => new ModelPolicies(db) },
    {
      provide: TenantPlaybooks,
      inject: [ModelPolicies],
      useFactory: (policies: ModelPolicies) => new TenantPlaybooks(policies),
    },
    {
      provide: INDEXED,
      inject: [
        DecisionRepository,
        OutcomeRepository,
        ModelVersions,
        TrainingJobs,
        TrainingMembers,
        ...BATCH_REPOSITORIES,
      ],
      useFactory: (...repositories: Indexed[]) => repositories,
    },
  ];
}

function outcomeProviders(clock: Clock): Provider[] {
  return [
    { provide: OutcomeRepository, inject: [DATABASE], useFactory: (db: Db) => new OutcomeRepository(db) },
    {
      provide: EventOutcomes,
      inject: [DATABASE],
      useFactory: (db: Db) => new EventOutcomes(new EventHistory(db), clock),
    },
    {
      provide: OutcomeRecorder,
      inject: [DecisionRepository, OutcomeRepository],
      useFactory: (decisions: DecisionRepository, outcomes: OutcomeRepository) =>
        new OutcomeRecorder(decisions, outcomes, clock),
    },
  ];
}

function loadersProvider(config: PredictionConfig, metrics: PredictionMetrics, clock: Clock): Provider {
  type Parts = [DecisionsClient, FeatureStore, ModelVersions, TenantPlaybooks, DecisionLog];
  return {
    provide: LoaderRegistry,
    inject: [INFERENCE_CLIENT, FeatureStore, ModelVersions, TenantPlaybooks, DecisionLog],
    useFactory: (...[client, features, versions, playbooks, log]: Parts) =>
      new LoaderRegistry(
        predictionServices(config, { client, features, versions, playbooks, log, metrics, clock }),
      ),
  };
}

function modelStoreProvider({ MODEL_REPOSITORY }: PredictionConfig, clock: Clock): Provider {
  return {
    provide: ModelStore,
    inject: [ModelVersions],
    useFactory: (versions: ModelVersions) => ModelStore.open(MODEL_REPOSITORY, versions, clock),
  };
}

function decisionProviders(metrics: PredictionMetrics): Provider[] {
  return [
    {
      provide: DecisionLog,
      inject: [DecisionRepository],
      useFactory: (sink: DecisionRepository) => new DecisionLog(sink, metrics),
    },
    {
      provide: DecisionReader,
      inject: [DecisionLog, DecisionRepository],
      useFactory: (log: DecisionLog, repository: DecisionRepository) => new DecisionReader(log, repository),
    },
    ...replayProviders(INFERENCE_CLIENT, metrics),
  ];
}

function databaseOf(connection: Connection): Db {
  if (connection.db) return connection.db;
  throw new DomainError('STORE_UNAVAILABLE', 'the store is not connected; check MONGODB_URI');
}
