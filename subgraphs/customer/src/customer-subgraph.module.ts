import { fileURLToPath } from 'node:url';
import { AccessKeyRepository } from '@sextant/access-keys';
import { AuditChains } from '@sextant/audit';
import { type DynamicModule, Module } from '@nestjs/common';
import { getConnectionToken } from '@nestjs/mongoose';
import { EventHistory, FeatureStore, TrainingConsents } from '@sextant/features';
import {
  dateTimeScalar,
  jsonScalar,
  mongoModule,
  type SubgraphConfig,
  subgraphGraphqlModule,
} from '@sextant/platform';
import type { Db } from 'mongodb';
import type { Connection } from 'mongoose';
import { AccessKeyService } from './access/access-key.service.js';
import { AccessResolver } from './access/access.resolver.js';
import { AuditLogService } from './access/audit-log.service.js';
import { AccountLoader } from './accounts/account.loader.js';
import { AccountRepository } from './accounts/account.repository.js';
import { AccountResolver } from './accounts/account.resolver.js';
import { AccountService } from './accounts/account.service.js';
import { ConsentResolver } from './consent/consent.resolver.js';
import { ConsentService } from './consent/consent.service.js';
import { CustomerLoader } from './customers/customer.loader.js';
import { CustomerRepository } from './customers/customer.repository.js';
import { CustomerResolver } from './customers/customer.resolver.js';
import { CustomerService } from './customers/customer.service.js';
import { BatchFolding } from './folding/batch-folding.service.js';
import { BatchRecovery } from './folding/batch-recovery.service.js';
import { CustomerFold } from './folding/customer-fold.service.js';
import { LateFolding } from './folding/late-folding.service.js';
import { OutboxRecovery } from './folding/outbox-recovery.service.js';
import { OutboxRepository } from './folding/outbox.repository.js';
import { EventRepository } from './ingestion/event.repository.js';
import { IngestionResolver } from './ingestion/ingestion.resolver.js';
import { IngestionService } from './ingestion/ingestion.service.js';
import { eventInputScalar } from './scalars.js';
import { DATABASE } from './store.js';
import { PopulationService } from './segments/population.service.js';
import { SegmentDiscovery } from './segments/segment-discovery.service.js';
import { SegmentLoader } from './segments/segment.loader.js';
import { SegmentRepository } from './segments/segment.repository.js';
import {
  CustomerSegmentsResolver,
  SegmentFieldsResolver,
  SegmentResolver,
} from './segments/segment.resolver.js';
import { SegmentFeed, SegmentStreamResolver } from './segments/segment-stream.resolver.js';
import { SegmentService } from './segments/segment.service.js';
import { type Surroundings, SURROUNDINGS } from './surroundings.js';

const SCHEMA_FILES = fileURLToPath(new URL('../schema/*.graphql', import.meta.url));

@Module({})
export class CustomerSubgraphModule {
  static of(config: SubgraphConfig, surroundings: Surroundings): DynamicModule {
    return {
      module: CustomerSubgraphModule,
      imports: [
        mongoModule(config),
        subgraphGraphqlModule({
          typePaths: [SCHEMA_FILES],
          scalars: { DateTime: dateTimeScalar, JSON: jsonScalar, EventInput: eventInputScalar },
          logger: surroundings.logger,
        }),
      ],
      providers: [
        { provide: SURROUNDINGS, useValue: surroundings },
        { provide: DATABASE, useFactory: databaseOf, inject: [getConnectionToken()] },
        { provide: EventHistory, useFactory: (db: Db) => new EventHistory(db), inject: [DATABASE] },
        { provide: TrainingConsents, useFactory: (db: Db) => new TrainingConsents(db), inject: [DATABASE] },
        { provide: FeatureStore, useFactory: featureStore, inject: [DATABASE] },
        {
          provide: AccessKeyRepository,
          useFactory: (db: Db) => new AccessKeyRepository(db),
          inject: [DATABASE],
        },
        { provide: AuditChains, useFactory: (db: Db) => new AuditChains(db), inject: [DATABASE] },
        ...[AccessKeyService, AuditLogService, AccessResolver],
        ...[EventRepository, IngestionService, IngestionResolver],
        ...[OutboxRepository, CustomerFold, LateFolding, BatchFolding, BatchRecovery, OutboxRecovery],
        ...[CustomerRepository, CustomerService, CustomerLoader, CustomerResolver],
        ...[ConsentService, ConsentResolver],
        ...[AccountRepository, AccountService, AccountLoader, AccountResolver],
        ...[SegmentRepository, PopulationService, SegmentDiscovery, SegmentService],
        ...[SegmentFeed, SegmentStreamResolver],
        ...[SegmentLoader, SegmentResolver, SegmentFieldsResolver, CustomerSegmentsResolver],
      ],
    };
  }
}

function databaseOf(connection: Connection): Db {
  if (!connection.db) throw new Error('the store is not connected');
  return connection.db;
}

async function featureStore(db: Db): Promise<FeatureStore> {
  const store = new FeatureStore(db);
  await store.createIndexes();
  return store;
}
