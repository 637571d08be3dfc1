import type { Clock } from '@sextant/domain';
import { ModelVersions } from '@sextant/model-registry';
import {
  ReportRepository,
  SketchRepository,
  TrafficRepository,
  UncountedVersions,
} from '@sextant/monitoring';
import type { Provider } from '@nestjs/common';
import type { Db } from 'mongodb';
import { DriftService } from './drift.service.js';

/** What monitoring stores, read by the graph; the trainer writes it. */
export function monitoringProviders(database: symbol, clock: Clock): Provider[] {
  const repositories = [ReportRepository, SketchRepository, TrafficRepository, UncountedVersions];
  return [
    ...repositories.map((Repository): Provider => {
      return { provide: Repository, inject: [database], useFactory: (db: Db) => new Repository(db) };
    }),
    {
      provide: DriftService,
      inject: [ModelVersions, ReportRepository, SketchRepository, UncountedVersions],
      useFactory: (
        ...[versions, reports, sketches, uncounted]: [
          ModelVersions,
          ReportRepository,
          SketchRepository,
          UncountedVersions,
        ]
      ) => new DriftService({ versions, reports, sketches, uncounted, clock }),
    },
  ];
}
