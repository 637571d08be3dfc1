import type { DecisionKind, DecisionRepository, LoggedDecision } from '@sextant/decision-log';
import type { DecisionLog } from './decision-log.js';

/** Decisions wherever they are: waiting in this process, or stored. */
export class DecisionReader {
  constructor(
    private readonly log: DecisionLog,
    private readonly repository: DecisionRepository,
  ) {}

  async find(tenantId: string, id: string): Promise<LoggedDecision | null> {
    return this.log.findWaiting(tenantId, id) ?? this.repository.find(tenantId, id);
  }

  /** In the order of the ids; null for one that the tenant does not have. */
  async findMany(tenantId: string, ids: readonly string[]): Promise<(LoggedDecision | null)[]> {
    const waiting = ids.map((id) => this.log.findWaiting(tenantId, id));
    const stored = await this.repository.findMany(
      tenantId,
      ids.filter((_, i) => waiting[i] === null),
    );
    const byId = new Map(stored.map((decision) => [decision.id, decision]));
    return ids.map((id, i) => waiting[i] ?? byId.get(id) ?? null);
  }

  /** Newest first. */
  async listOfSubject(
    tenantId: string,
    subject: string,
    page: { kinds: readonly DecisionKind[]; first: number },
  ): Promise<LoggedDecision[]> {
    // the buffer first: a row that is stored between the two reads is then seen twice, and never missed
    const waiting = this.log.listWaiting(tenantId, subject).filter(({ kind }) => page.kinds.includes(kind));
    const seen = new Set(waiting.map(({ id }) => id));
    const stored = (await this.repository.listOfSubject(tenantId, subject, page)).filter(
      ({ id }) => !seen.has(id),
    );
    return [...waiting, ...stored].toSorted((a, b) => b.at.getTime() - a.at.getTime()).slice(0, page.first);
  }
}
