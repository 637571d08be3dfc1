import { type Collection, type Db, type Document, MongoServerError } from 'mongodb';
import type { MonitoringReport } from './monitoring-report.js';

type ReportDocument = MonitoringReport & { _id: string };

const KEPT_DAYS = 400;
/** Reports that gauges are read from. */
const MOST_MODELS = 5_000;
const DUPLICATE_KEY = 11_000;

/** Reports on versions, one a version and window. */
export class ReportRepository {
  private readonly reports: Collection<ReportDocument>;

  constructor(db: Db) {
    this.reports = db.collection('monitoring_reports');
  }

  async ensureIndexes(): Promise<void> {
    await this.reports.createIndexes([
      { key: { tenantId: 1, model: 1, 'window.to': -1 }, name: 'newest_of_model' },
      { key: { 'window.to': -1 }, name: 'newest_of_all' },
      { key: { createdAt: 1 }, name: 'expire_after_400_days', expireAfterSeconds: KEPT_DAYS * 24 * 60 * 60 },
    ]);
  }

  /** @returns false where the window of the version has its report already, which stays */
  async insert(report: MonitoringReport): Promise<boolean> {
    try {
      await this.reports.insertOne({ _id: keyOf(report), ...report });
      return true;
    } catch (error) {
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  async has(report: Pick<MonitoringReport, 'tenantId' | 'model' | 'version' | 'window'>): Promise<boolean> {
    const { tenantId } = report;
    return (await this.reports.countDocuments({ _id: keyOf(report), tenantId }, { limit: 1 })) > 0;
  }

  /** Newest window first, then newest version. @param page.version  of all versions where left out */
  async list(
    { tenantId, model }: { tenantId: string; model: string },
    page: { first: number; version?: number },
  ): Promise<MonitoringReport[]> {
    const found = await this.reports
      .find({ tenantId, model, ...(page.version === undefined ? {} : { version: page.version }) })
      .sort({ 'window.to': -1, version: -1 })
      .limit(page.first)
      .toArray();
    return found.map(toReport);
  }

  /** The newest of a version; null without one. */
  async findLatest(of: {
    tenantId: string;
    model: string;
    version: number;
  }): Promise<MonitoringReport | null> {
    const [newest] = await this.list(of, { first: 1, version: of.version });
    return newest ?? null;
  }

  /** Of each model of all tenants the newest report whose window ended since. */
  async newestOfEach(endedSince: Date): Promise<MonitoringReport[]> {
    const found = await this.reports
      .find({ 'window.to': { $gte: endedSince } })
      .sort({ 'window.to': -1, version: -1 })
      .limit(MOST_MODELS)
      .toArray();
    const newest = new Map<string, MonitoringReport>();
    for (const report of found) if (!newest.has(report.model)) newest.set(report.model, toReport(report));
    return [...newest.values()];
  }

  /** Reports of all tenants written since, oldest first: for what acts on them. */
  async listSince(createdAt: Date, first: number): Promise<MonitoringReport[]> {
    const found = await this.reports
      .find({ createdAt: { $gte: createdAt } })
      .sort({ createdAt: 1 })
      .limit(first)
      .toArray();
    return found.map(toReport);
  }

  /** The collection for change streams, and how one of its documents is read. */
  watched(): { collection: Collection<Document>; read: (document: Document) => MonitoringReport } {
    return {
      collection: this.reports as unknown as Collection<Document>,
      read: (document) => toReport(document as unknown as ReportDocument),
    };
  }

  /** Says which job was asked for because of a report; the first one stays. */
  async setRetrainJob(
    report: Pick<MonitoringReport, 'tenantId' | 'model' | 'version' | 'window'>,
    retrainJobId: string,
  ): Promise<void> {
    const { tenantId } = report;
    await this.reports.updateOne(
      { _id: keyOf(report), tenantId, retrainJobId: null },
      { $set: { retrainJobId } },
    );
  }
}

function keyOf({ model, version, window }: Pick<MonitoringReport, 'model' | 'version' | 'window'>): string {
  return `${model}@${version}/${window.from.toISOString()}/${window.to.toISOString()}`;
}

function toReport({ _id, ...report }: ReportDocument): MonitoringReport {
  return report;
}
