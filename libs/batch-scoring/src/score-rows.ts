import type { ScoreTask } from '@sextant/artefacts';
import { DomainError, type ErrorCode } from '@sextant/domain';
import type { DecisionsClient, FeatureTable } from '@sextant/inference-protocol';
import type { CallPacer } from './call-pacer.js';
import type { ScoredCustomer } from './customer-scores.repository.js';
import type { ReadCustomer, ScoreRow, ScoreTable } from './score-table.js';

/** What all rows of a job are scored with. */
export interface ScoreQuestion {
  tenantId: string;
  task: ScoreTask;
  model: string;
  version: number;
  asOf: Date;
  table: ScoreTable;
}

export interface ScoreParts {
  client: DecisionsClient;
  pacer: CallPacer;
  /** longest wait for one answer */
  deadlineMs: number;
  signal: AbortSignal;
}

export interface ScoredRows {
  scored: ScoredCustomer[];
  failed: { customerId: string; code: ErrorCode }[];
}

/**
 * Scores customers by the features that single scoring would ask about. Who cannot be scored is named with the reason; a call
 * that the worker refuses for what is in it is made again in halves until the rows at fault are found.
 *
 * @throws DomainError where no row is at fault: no worker answers, or the version is not served
 */
export async function scoreRows(
  parts: ScoreParts,
  question: ScoreQuestion,
  customers: readonly ReadCustomer[],
): Promise<ScoredRows> {
  const { rows, table, unreadable } = question.table.read(customers);
  const result: ScoredRows = {
    scored: [],
    failed: unreadable.map((customerId) => ({ customerId, code: 'FEATURE_VECTOR_MISMATCH' })),
  };
  if (rows.length > 0) await ask({ parts, question, result }, rows, table);
  return result;
}

interface Asking {
  parts: ScoreParts;
  question: ScoreQuestion;
  result: ScoredRows;
}

/** Not counted: a million rows that nobody asked about would drown what a day's window shows of those who were. */
const BULK = { priority: 'low', counted: false } as const;

async function ask(asking: Asking, rows: readonly ScoreRow[], table: FeatureTable): Promise<void> {
  const { parts, question, result } = asking;
  const { client, pacer, deadlineMs, signal } = parts;
  const request = { model: question.model, version: String(question.version), rows: table };
  const options = { ...BULK, deadlineMs, tenant: question.tenantId, signal };
  try {
    const { scores } = await pacer.call(() => client.scoreLeads(request, options));
    if (scores.length !== rows.length)
      throw new DomainError(
        'INFERENCE_FAILED',
        `the worker answered ${scores.length} rows for ${rows.length}`,
      );
    for (const [i, { customerId, basis }] of rows.entries()) {
      const { probability, percentile, band } = scores[i] ?? {
        probability: Number.NaN,
        percentile: 0,
        band: '',
      };
      if (probability >= 0 && probability <= 1)
        result.scored.push({ customerId, score: probability, percentile, band, basis });
      else result.failed.push({ customerId, code: 'INFERENCE_FAILED' });
    }
  } catch (error) {
    if (!(error instanceof DomainError) || !mayBeRows(error)) throw error;
    const [first, ...others] = rows;
    if (first && others.length === 0) {
      result.failed.push({ customerId: first.customerId, code: error.code });
      return;
    }
    const middle = Math.ceil(rows.length / 2);
    for (const half of [rows.slice(0, middle), rows.slice(middle)])
      await ask(asking, half, question.table.columnsOf(half));
  }
}

function mayBeRows({ kind, code }: DomainError): boolean {
  return kind === 'invalid-input' || code === 'INFERENCE_FAILED';
}
