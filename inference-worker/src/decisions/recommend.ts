import { DomainError } from '@sextant/domain';
import type {
  Decoded,
  RankedItem,
  RecommendRequest,
  RecommendResponse,
  RecommendRow,
  Slate,
} from '@sextant/inference-protocol';
import { rankSlate } from '@sextant/learning/recommend';
import type { ModelRunner } from '../models/model-runner.js';
import type { RecommendTask, SessionTask } from '../models/prepared-task.js';
import type { CallContext } from '../transport/call-context.js';
import { servedBy } from './served-by.js';
import { type SlateRow, slateRowOf } from './slate-row.js';
import { taskOf } from './task-of.js';

const MAX_SLATE = 100;
const MAX_REASONS = 20;
const MAX_ITEM_IDS = 10_000;
/** An index and a weight wait, not a row of the whole catalogue. */
const BYTES_PER_HISTORY_ITEM = 12;

type Row = Decoded<RecommendRow>;
interface PreparedRow {
  row: Row;
  prepared: SlateRow;
}

/** Ranks items for each row's history, by the model of customers or by the model of sessions. */
export function recommend(
  runner: ModelRunner,
  request: Decoded<RecommendRequest>,
  context: CallContext,
): Promise<RecommendResponse> {
  return runner.with(request, context, async (served) => {
    checkRequest(runner, request);
    const task = taskOf(served, 'recommend', 'session');
    const prepared = request.rows.map((row): PreparedRow => {
      const known = row.history.flatMap((item) => task.indexOf.get(item) ?? []);
      return { row, prepared: slateRowOf(task, known) };
    });
    const longest = Math.max(...prepared.map((each) => each.prepared.items.length));
    const result = await runner.run(
      served.score,
      {
        rows: prepared.length,
        bytesPerRow: BYTES_PER_HISTORY_ITEM * (longest + 1),
        write: ([input], { from, count, at }) => {
          if (!(input instanceof Float32Array)) return;
          prepared.slice(from, from + count).forEach(({ prepared: { width, write } }, i) => {
            write(input.subarray((at + i) * width, (at + i + 1) * width));
          });
        },
      },
      context,
    );
    const scores = result.outputs[0] as Float32Array;
    const items = task.spec.items.length;
    const slates = prepared.map((each, i) =>
      slateOf(task, each, {
        scores: scores.subarray(i * items, (i + 1) * items),
        reasons: request.reasonsPerItem,
      }),
    );
    return { servedBy: servedBy(served, result), slates };
  });
}

function checkRequest(runner: ModelRunner, { rows, reasonsPerItem }: Decoded<RecommendRequest>): void {
  runner.assertRowCount(rows.length, 'rows');
  if (reasonsPerItem > MAX_REASONS) throw outOfRange('reasons_per_item', `0..${MAX_REASONS}`, reasonsPerItem);
  rows.forEach(({ first, history, exclude }, i) => {
    if (first < 1 || first > MAX_SLATE) throw outOfRange(`rows[${i}].first`, `1..${MAX_SLATE}`, first);
    const longest = Math.max(history.length, exclude.length);
    if (longest > MAX_ITEM_IDS)
      throw outOfRange(`rows[${i}].history and exclude`, `at most ${MAX_ITEM_IDS} items long`, longest);
  });
}

function slateOf(
  task: RecommendTask | SessionTask,
  { row, prepared }: PreparedRow,
  at: { scores: Float32Array; reasons: number },
): Slate {
  const exclude = new Set(row.exclude.flatMap((item) => task.indexOf.get(item) ?? []));
  for (const item of prepared.excluded) exclude.add(item);
  const ranked = rankSlate(at.scores, { exclude, first: row.first });
  return {
    items: ranked.map((item): RankedItem => {
      const score = at.scores[item] ?? 0;
      const reasons = at.reasons === 0 ? [] : prepared.reasons(item, at.reasons);
      return {
        item: task.spec.items[item] ?? '',
        score,
        reasons: reasons.map((reason) => ({
          becauseOf: task.spec.items[reason.item] ?? '',
          contribution: reason.contribution,
        })),
        residual: reasons.reduce((rest, { contribution }) => rest - contribution, score),
      };
    }),
    historyUsed: prepared.items.length,
  };
}

function outOfRange(path: string, range: string, actual: number): DomainError {
  return new DomainError('INVALID_INPUT', `${path} must be ${range}, got ${actual}`, { path });
}
