import type { Clock } from '@sextant/domain';
import { ModelImports, ModelUploads } from '@sextant/model-import';
import { ModelPolicies } from '@sextant/model-registry';
import type { Logger } from '@sextant/platform';
import type { Provider } from '@nestjs/common';
import { getConnectionToken } from '@nestjs/mongoose';
import { DomainError } from '@sextant/domain';
import type { Db } from 'mongodb';
import type { Connection } from 'mongoose';
import { ModelStore } from '../model/model-store.js';
import type { PredictionConfig } from '../prediction.config.js';
import { type ImportLimits, ModelImportService } from './model-import.service.js';

const DOWNLOAD_TIMEOUT_MS = 60_000;

/** What importing models needs, beside the store of models. */
export function importProviders(config: PredictionConfig, clock: Clock, logger: Logger): Provider[] {
  const maxBytes = config.SEXTANT_IMPORT_MAX_BYTES;
  const limits: ImportLimits = {
    source: { folder: config.SEXTANT_IMPORT_DIR ?? null, maxBytes, timeMs: DOWNLOAD_TIMEOUT_MS },
    trial: { memoryBytes: config.SEXTANT_IMPORT_MEMORY_BYTES, timeMs: config.SEXTANT_IMPORT_TIMEOUT_MS },
  };
  return [
    {
      provide: ModelUploads,
      inject: [getConnectionToken()],
      useFactory: (connection: Connection) => new ModelUploads(databaseOf(connection), maxBytes, clock),
    },
    {
      provide: ModelImports,
      inject: [getConnectionToken()],
      useFactory: (connection: Connection) => new ModelImports(databaseOf(connection), clock),
    },
    {
      provide: ModelImportService,
      inject: [ModelImports, ModelUploads, ModelStore, ModelPolicies],
      useFactory: (
        imports: ModelImports,
        uploads: ModelUploads,
        models: ModelStore,
        policies: ModelPolicies,
      ) => new ModelImportService({ imports, uploads, models, policies }, limits, clock, logger),
    },
  ];
}

function databaseOf(connection: Connection): Db {
  if (connection.db) return connection.db;
  throw new DomainError('STORE_UNAVAILABLE', 'the store is not connected; check MONGODB_URI');
}
