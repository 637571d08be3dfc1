import type { ModelRepository } from '@sextant/artefacts';
import { DecisionRepository, EventOutcomes } from '@sextant/decision-log';
import { systemClock } from '@sextant/domain';
import { EventHistory, FeatureStore } from '@sextant/features';
import type { ModelVersions } from '@sextant/model-registry';
import {
  ReportRepository,
  SketchRepository,
  TrafficRepository,
  UncountedVersions,
} from '@sextant/monitoring';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { TrainerConfig } from '../config.js';
import { StoreLease } from '../store-lease.js';
import { Collector } from './collector.js';
import { MonitoringLoop } from './monitoring-loop.js';
import { MonitoringMetrics } from './monitoring-metrics.js';
import { DecisionReader } from './window-decisions.js';
import { WindowReports } from './window-report.js';
import { WatchedVersions } from './watched-versions.js';

export interface MonitoringParts {
  db: Db;
  repository: ModelRepository;
  versions: ModelVersions;
  registry: Registry;
  config: Pick<
    TrainerConfig,
    'INFERENCE_URL' | 'MONITOR_PERIOD_MS' | 'MONITOR_WINDOW_HOURS' | 'MONITOR_ROUND_MS'
  >;
  logger: Logger;
}

/** Longer than the analysis of one window of one version takes. */
const LEASE_MS = 120_000;
/** Alerts are about models of which something was found lately. */
const NEWEST_WINDOWS = 2;
const HOUR_MS = 3_600_000;

/** Collects what workers count and judges every window that closed; to be run beside the jobs. */
export async function startMonitoring(parts: MonitoringParts): Promise<[Collector, MonitoringLoop]> {
  const { db, registry, config, logger } = parts;
  const sketches = new SketchRepository(db);
  const traffic = new TrafficRepository(db);
  const reports = new ReportRepository(db);
  const uncounted = new UncountedVersions(db);
  await Promise.all([sketches, traffic, reports, uncounted].map((store) => store.ensureIndexes()));
  const { MONITOR_WINDOW_HOURS: windowHours, MONITOR_ROUND_MS: roundMs } = config;
  const metrics = new MonitoringMetrics(registry, {
    workers: () => collector.workers(),
    newest: () => reports.newestOfEach(new Date(Date.now() - (NEWEST_WINDOWS * windowHours + 1) * HOUR_MS)),
  });
  const collector = new Collector(
    {
      ...{ sketches, traffic, uncounted, logger },
      onReport: () => metrics.stored(),
      onProblem: () => metrics.streamFailed(),
    },
    { address: config.INFERENCE_URL, periodMs: config.MONITOR_PERIOD_MS },
  );
  const loop = new MonitoringLoop(
    {
      lease: new StoreLease(db, 'monitoring', LEASE_MS),
      windowReports: windowReportsOf(parts, sketches),
      ...{ sketches, reports, logger, clock: systemClock },
      onReport: (report) => metrics.judged(report),
      onRound: (outcome) => metrics.roundEnded(outcome),
    },
    { windowHours, roundMs },
  );
  return [collector, loop];
}

function windowReportsOf(
  { db, repository, versions }: MonitoringParts,
  sketches: SketchRepository,
): WindowReports {
  return new WindowReports({
    sketches,
    watched: new WatchedVersions(repository),
    reader: new DecisionReader(
      new DecisionRepository(db, new EventOutcomes(new EventHistory(db), systemClock)),
      new FeatureStore(db),
    ),
    policies: versions.policies,
    versions,
    clock: systemClock,
  });
}
