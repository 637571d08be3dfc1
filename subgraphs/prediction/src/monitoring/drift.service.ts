import { modelName, type Task } from '@sextant/artefacts';
import type { Clock } from '@sextant/domain';
import { type ModelVersion, type ModelVersions, modelVersionId } from '@sextant/model-registry';
import type {
  MonitoringReport,
  ReportRepository,
  SketchRepository,
  UncountedVersions,
} from '@sextant/monitoring';

/** `DriftReport` of the graph. */
export interface ShownReport {
  asOf: Date;
  version: ModelVersion | null;
  from: Date;
  to: Date;
  rowsSeen: number;
  workers: number;
  features: MonitoringReport['features'];
  performance: MonitoringReport['performance'];
  findings: MonitoringReport['findings'];
  notes: string[];
  verdict: string;
  retrainJob: string | null;
}

export interface DriftParts {
  versions: Pick<ModelVersions, 'findLive' | 'findMany'>;
  reports: Pick<ReportRepository, 'list'>;
  sketches: Pick<SketchRepository, 'countRows'>;
  uncounted: Pick<UncountedVersions, 'findReason'>;
  clock: Clock;
}

const MOST_FEATURES = 100;
const HOUR_MS = 3_600_000;

/** What monitoring has found out about the models of a tenant. */
export class DriftService {
  constructor(private readonly parts: DriftParts) {}

  /** @param backMs  how far back the end of the window may lie */
  async latest(tenantId: string, task: Task, backMs: number): Promise<ShownReport> {
    const { versions, reports, clock } = this.parts;
    const model = modelName(tenantId, task);
    const now = clock.now();
    const live = await versions.findLive(tenantId, model);
    if (live === null)
      return { ...nothing(now, backMs), verdict: 'too little data: no version of the model is live' };
    const [newest] = await reports.list({ tenantId, model }, { first: 1, version: live.version });
    const oldest = now.getTime() - backMs - HOUR_MS;
    if (newest !== undefined && newest.window.to.getTime() >= oldest) return shown(newest, live);
    return this.open(live, now, backMs);
  }

  async list(tenantId: string, task: Task, first: number): Promise<ShownReport[]> {
    const { versions, reports } = this.parts;
    const found = await reports.list({ tenantId, model: modelName(tenantId, task) }, { first });
    const ids = found.map(({ model, version }) => modelVersionId(model, version));
    const known = new Map(
      (await versions.findMany(tenantId, [...new Set(ids)])).map((each) => [each.id, each]),
    );
    return found.map((report, i) => shown(report, known.get(ids[i] ?? '') ?? null));
  }

  /** One report as the graph shows it. */
  async show(report: MonitoringReport): Promise<ShownReport> {
    const { tenantId, model, version } = report;
    const [known] = await this.parts.versions.findMany(tenantId, [modelVersionId(model, version)]);
    return shown(report, known ?? null);
  }

  /** No window of the version is closed: what has been counted so far, and no judgement of it. */
  private async open(live: ModelVersion, now: Date, backMs: number): Promise<ShownReport> {
    const { sketches, uncounted } = this.parts;
    const { tenantId, model, version } = live;
    const base = { ...nothing(now, backMs), version: live };
    const reason = await uncounted.findReason(tenantId, model, version);
    if (reason !== null) return { ...base, verdict: `not watched: ${reason}` };
    const { rows, workers } = await sketches.countRows({
      tenantId,
      model,
      version,
      window: { from: base.from, to: base.to },
    });
    const told = `${rows} rows were counted of ${live.id} since ${base.from.toISOString()}, and no window of them is closed`;
    return { ...base, rowsSeen: rows, workers, verdict: `too little data: ${told}` };
  }
}

function nothing(now: Date, backMs: number): ShownReport {
  return {
    asOf: now,
    version: null,
    from: new Date(Math.floor((now.getTime() - backMs) / HOUR_MS) * HOUR_MS),
    to: new Date(Math.ceil(now.getTime() / HOUR_MS) * HOUR_MS),
    rowsSeen: 0,
    workers: 0,
    features: [],
    performance: null,
    findings: [],
    notes: [],
    verdict: '',
    retrainJob: null,
  };
}

function shown(report: MonitoringReport, version: ModelVersion | null): ShownReport {
  const { createdAt, window, features, retrainJobId, ...rest } = report;
  return {
    ...rest,
    asOf: createdAt,
    version,
    from: window.from,
    to: window.to,
    features: features.slice(0, MOST_FEATURES),
    retrainJob: retrainJobId,
  };
}
