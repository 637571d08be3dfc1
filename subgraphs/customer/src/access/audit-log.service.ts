import { AuditChains, type AuditedMutation, type AuditRecord } from '@sextant/audit';
import { decodeCursor, type Page, pageOf } from '@sextant/domain';
import { Injectable } from '@nestjs/common';
import { limitOf, type PageArguments } from '../page.js';

/** A mutation of the log, as the graph shows it. */
export interface AuditRecordView extends AuditedMutation {
  seq: number;
  at: Date;
  outcome: 'UNKNOWN' | 'OK' | 'FAILED' | 'REFUSED';
  codes: readonly string[];
  finishedAt: Date | null;
  hash: string;
}

/** Reads what gateways wrote; nothing here changes it. */
@Injectable()
export class AuditLogService {
  constructor(private readonly chains: AuditChains) {}

  /** Newest first. */
  async list(tenantId: string, page: PageArguments): Promise<Page<AuditRecordView>> {
    const limit = limitOf(page, { fallback: 50, max: 200 });
    const before = page.after == null ? null : Number(decodeCursor(page.after, ['number'])[0]);
    const rows = await this.chains.list(tenantId, { before, first: limit + 1 });
    return pageOf(rows.map(viewOf), { limit, after: page.after, keyOf: ({ seq }) => [seq] });
  }
}

function viewOf({ entry, outcome }: AuditRecord): AuditRecordView {
  const { seq, at, hash, what } = entry;
  const isRefused = entry.kind === 'REFUSAL';
  return {
    ...what,
    ...{ seq, at, hash },
    outcome: isRefused ? 'REFUSED' : (outcome?.what.outcome ?? 'UNKNOWN'),
    codes: isRefused ? entry.what.codes : (outcome?.what.codes ?? []),
    finishedAt: isRefused ? at : (outcome?.at ?? null),
  };
}
