import type { DecisionKind, DecisionRepository, DecisionWindow, LoggedDecision } from '@sextant/decision-log';
import { DomainError } from '@sextant/domain';
import type { DecisionReplays } from './decision-replays.js';

/** What came of making the decisions of a window again. */
export interface WindowSummary {
  /** decisions that were made again */
  replayed: number;
  identical: number;
  maxAbsDiff: number;
  /** the first twenty */
  differing: LoggedDecision[];
  /** decisions that could not be made again, by reason */
  failed: { code: string; message: string; count: number }[];
  /** false: the window holds more decisions than were looked at */
  isComplete: boolean;
}

export interface WindowLimits {
  /** decisions to look at, at most */
  first: number;
  deadlineMs: number;
  /** throws where the caller may not see decisions of a kind */
  assertReadable(kind: DecisionKind): void;
}

const MOST_NAMED = 20;
const BATCH_ROWS = 500;

/** Makes the decisions of one version in a window again, oldest first. */
export class WindowReplays {
  constructor(
    private readonly repository: Pick<DecisionRepository, 'joinedBatches'>,
    private readonly replays: DecisionReplays,
  ) {}

  async replay(tenantId: string, window: DecisionWindow, limits: WindowLimits): Promise<WindowSummary> {
    if (!(window.from < window.to)) {
      throw new DomainError('INVALID_INPUT', '`from` must lie before `to`', { path: 'from' });
    }
    const endsAt = performance.now() + limits.deadlineMs;
    const summary = emptySummary();
    let looked = 0;
    for await (const batch of this.repository.joinedBatches(tenantId, window, {
      withInput: true,
      batchRows: BATCH_ROWS,
    })) {
      const rows = batch.slice(0, limits.first - looked);
      const left = endsAt - performance.now();
      if (rows.length === 0 || left <= 0) return { ...summary, isComplete: false };
      for (const kind of new Set(rows.map((row) => row.kind))) limits.assertReadable(kind);
      const replays = await this.replays.replay(tenantId, rows, left);
      rows.forEach((row, i) => addTo(summary, row, replays[i]));
      looked += rows.length;
      if (rows.length < batch.length) return { ...summary, isComplete: false };
    }
    return summary;
  }
}

function emptySummary(): WindowSummary {
  return { replayed: 0, identical: 0, maxAbsDiff: 0, differing: [], failed: [], isComplete: true };
}

function addTo(
  summary: WindowSummary,
  row: LoggedDecision,
  replay: Awaited<ReturnType<DecisionReplays['replay']>>[number] | undefined,
): void {
  if (replay === undefined || replay instanceof Error) {
    countFailure(summary, row, replay);
    return;
  }
  summary.replayed += 1;
  summary.maxAbsDiff = Math.max(summary.maxAbsDiff, replay.maxAbsDiff);
  if (replay.identical) summary.identical += 1;
  else if (summary.differing.length < MOST_NAMED) summary.differing.push(row);
}

/** Reasons that name the decision are one reason, shown with the first of them. */
function countFailure(summary: WindowSummary, { id }: LoggedDecision, error: Error | undefined): void {
  if (!(error instanceof DomainError)) throw error ?? new RangeError('a replay was lost');
  const { code, message } = error;
  const shape = message.replace(id, '');
  const known = summary.failed.find(
    (each) => each.code === code && reasonOf(each.message) === reasonOf(shape),
  );
  if (known) known.count += 1;
  else if (summary.failed.length < MOST_NAMED) summary.failed.push({ code, message, count: 1 });
}

function reasonOf(message: string): string {
  return message.replace(/dec_[0-9a-f]+/g, '').replace(/\s+/g, ' ');
}
