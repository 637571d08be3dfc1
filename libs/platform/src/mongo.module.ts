import type { DynamicModule } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import type { ReadinessCheck } from '@sextant/telemetry';

/** Connection settings of every process: a dead store is an error within the deadline, and a returned one is used without a restart. */
export function mongoOptions(timeoutMs: number) {
  return {
    socketTimeoutMS: timeoutMs, // the driver's own timeoutMS has no effect since 7.8
    waitQueueTimeoutMS: timeoutMs,
    serverSelectionTimeoutMS: Math.min(timeoutMs, 3_000),
    connectTimeoutMS: Math.min(timeoutMs, 3_000),
    heartbeatFrequencyMS: 1_000,
    minHeartbeatFrequencyMS: 100,
    maxPoolSize: 20,
    retryWrites: true,
    retryReads: true,
    writeConcern: { w: 'majority', journal: true },
  } as const;
}

/** Mongoose for one subgraph; indexes are made by the repositories at start, not behind our back. */
export function mongoModule(config: { MONGODB_URI: string; MONGODB_TIMEOUT_MS: number }): DynamicModule {
  return MongooseModule.forRoot(config.MONGODB_URI, {
    ...mongoOptions(config.MONGODB_TIMEOUT_MS),
    autoIndex: false,
    autoCreate: false,
    retryAttempts: 2,
    retryDelay: 500,
    bufferCommands: false,
  });
}

export function mongoCheck(connection: Connection): ReadinessCheck {
  return {
    name: 'store',
    async isReady() {
      await connection.db?.command({ ping: 1, maxTimeMS: 1_000 });
      return connection.db !== undefined;
    },
  };
}
