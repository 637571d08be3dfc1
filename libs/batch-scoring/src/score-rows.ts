import type { ScoreTask } from '@sextant/artefacts';
import { DomainError, type ErrorCode } from '@sextant/domain';
import { type CustomerState, type FeatureVector, type ScoreBasis, scoreInput } from '@sextant/features';
import { type DecisionsClient, toFeatureTable } from '@sextant/inference-protocol';
import type { CallPacer } from './call-pacer.js';
import type { ScoredCustomer } from './customer-scores.repository.js';

/** What all rows of a job are scored with. */
export interface ScoreQuestion {
  tenantId: string;
  task: ScoreTask;
  model: string;
  version: number;
  asOf: Date;
  /** what the model reads; other features stay here */
  columns: ReadonlySet<string>;
}

export interface ScoreParts {
  client: DecisionsClient;
  pacer: CallPacer;
  /** longest wait for one answer */
  deadlineMs: number;
  signal: AbortSignal;
}

/** A customer's state as it was read. */
export interface ReadCustomer {
  customerId: string;
  state: CustomerState;
}

export interface ScoredRows {
  scored: ScoredCustomer[];
  failed: { customerId: string; code: ErrorCode }[];
}

interface Row {
  customerId: string;
  basis: ScoreBasis;
  features: FeatureVector;
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
  const result: ScoredRows = { scored: [], failed: [] };
  const rows: Row[] = [];
  for (const { customerId, state } of customers) {
    try {
      const { basis, features } = scoreInput(question.task, state, question.asOf);
      rows.push({ customerId, basis, features: pick(features, question.columns) });
    } catch {
      // A document that no fold wrote; whatever it broke, the customer's features cannot be had.
      result.failed.push({ customerId, code: 'FEATURE_VECTOR_MISMATCH' });
    }
  }
  if (rows.length > 0) await ask({ parts, question, result }, rows);
  return result;
}

interface Asking {
  parts: ScoreParts;
  question: ScoreQuestion;
  result: ScoredRows;
}

async function ask(asking: Asking, rows: readonly Row[]): Promise<void> {
  const { parts, question, result } = asking;
  const { client, pacer, deadlineMs, signal } = parts;
  const request = {
    model: question.model,
    version: String(question.version),
    rows: toFeatureTable(rows.map(({ features }) => features)),
  };
  const options = { deadlineMs, tenant: question.tenantId, priority: 'low' as const, signal };
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
    await ask(asking, rows.slice(0, middle));
    await ask(asking, rows.slice(middle));
  }
}

function pick(features: FeatureVector, columns: ReadonlySet<string>): FeatureVector {
  const picked: FeatureVector = {};
  for (const column of columns) picked[column] = features[column] ?? null;
  return picked;
}

function mayBeRows({ kind, code }: DomainError): boolean {
  return kind === 'invalid-input' || code === 'INFERENCE_FAILED';
}
