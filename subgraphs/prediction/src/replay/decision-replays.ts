import type { LoggedDecision } from '@sextant/decision-log';
import { DomainError } from '@sextant/domain';
import type { DecisionReader } from '../decision/decision-reader.js';
import type { InferenceService } from '../inference/inference.service.js';
import { applyRule } from './apply-rule.js';
import { askVersion, notReplayable, replayable, type ReplayRow } from './ask-version.js';
import { compareOutputs, type Comparison } from './compare-outputs.js';
import { slateInput } from './logged-inputs.js';

/** A decision made again, beside what was given then. */
export interface Replay extends Comparison {
  /** that answered again */
  modelVersion: string;
  /** that it was computed on again; null: by a rule */
  device: string | null;
  /** that it was computed on then; null: by a rule, or not logged */
  loggedDevice: string | null;
}

/** Rows of one call to the workers. */
const ROWS_OF_CALL = 500;

interface Group {
  modelVersion: string;
  rows: ReplayRow[];
}

/** Makes logged decisions again: the same input, the version that decided, or the rule. */
export class DecisionReplays {
  constructor(
    private readonly inference: InferenceService,
    private readonly reader: Pick<DecisionReader, 'findMany'>,
  ) {}

  /**
   * In the order given, in few calls to the workers. An error in the place of a decision that cannot be made again.
   *
   * @param deadlineMs  for all of them together
   */
  async replay(
    tenantId: string,
    decisions: readonly LoggedDecision[],
    deadlineMs: number,
  ): Promise<(Replay | Error)[]> {
    const endsAt = performance.now() + deadlineMs;
    const results = new Map<LoggedDecision, Replay | Error>();
    const sources = await this.sourcesOf(tenantId, decisions);
    const rows: ReplayRow[] = [];
    for (const decision of decisions) {
      try {
        if (decision.rung === 'HEURISTIC') results.set(decision, replayOfRule(decision));
        else rows.push(replayable({ decision, source: sourceOf(decision, sources) }));
      } catch (error) {
        results.set(decision, asDomainError(error));
      }
    }
    for (const group of groupsOf(rows)) {
      const deadline = Math.max(0, endsAt - performance.now());
      const replays = await this.replayGroup(tenantId, group, deadline);
      group.rows.forEach(({ decision }, i) =>
        results.set(decision, replays[i] ?? new RangeError('a replay was lost')),
      );
    }
    return decisions.map((decision) => results.get(decision) ?? new RangeError('a replay was lost'));
  }

  /** The decisions, by id, that others repeat. */
  private async sourcesOf(
    tenantId: string,
    decisions: readonly LoggedDecision[],
  ): Promise<ReadonlyMap<string, LoggedDecision>> {
    const ids = new Set(decisions.flatMap(({ rung, repeats }) => (rung === 'CACHE' ? (repeats ?? []) : [])));
    const found = await this.reader.findMany(tenantId, [...ids]);
    return new Map(found.flatMap((decision) => (decision ? [[decision.id, decision]] : [])));
  }

  private async replayGroup(
    tenantId: string,
    { modelVersion, rows }: Group,
    deadlineMs: number,
  ): Promise<(Replay | Error)[]> {
    const at = modelVersion.lastIndexOf('@');
    const asked = {
      inference: this.inference,
      model: modelVersion.slice(0, at),
      version: modelVersion.slice(at + 1),
      ask: { tenantId, deadlineMs, isTrial: true },
    };
    try {
      const { outputs, device } = await askVersion(asked, rows);
      return rows.map(({ decision }, i): Replay => ({
        ...compareOutputs(decision.output, outputs[i] ?? {}),
        ...{ modelVersion, device, loggedDevice: decision.device },
      }));
    } catch (error) {
      const reason = asDomainError(error);
      return rows.map(() => reason);
    }
  }
}

/** The decision whose answer was given. @throws DomainError DECISION_NOT_REPLAYABLE */
function sourceOf(decision: LoggedDecision, sources: ReadonlyMap<string, LoggedDecision>): LoggedDecision {
  if (decision.rung !== 'CACHE') return decision;
  const source = sources.get(decision.repeats ?? '');
  if (source) return source;
  throw notReplayable(
    decision.id,
    'it repeats an earlier answer, and the decision that first gave it is not in the log',
  );
}

function replayOfRule(decision: LoggedDecision): Replay {
  const comparison = compareOutputs(decision.output, applyRule(decision));
  return { ...comparison, modelVersion: decision.modelVersion, device: null, loggedDevice: decision.device };
}

/** Rows that one call can ask for: of one kind and version and, of slates, summed in one way. */
function groupsOf(rows: readonly ReplayRow[]): Group[] {
  const groups = new Map<string, Group[]>();
  for (const row of rows) {
    const { kind, modelVersion, input } = row.source;
    const sums = kind === 'recommend' ? (slateInput.safeParse(input).data?.sums ?? 0) : 0;
    const key = `${kind} ${modelVersion} ${sums}`;
    const own = groups.get(key) ?? [];
    groups.set(key, own);
    const last = own.at(-1);
    if (last && last.rows.length < ROWS_OF_CALL) last.rows.push(row);
    else own.push({ modelVersion, rows: [row] });
  }
  return [...groups.values()].flat();
}

/** Anything else is a bug and stays loud. */
function asDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  throw error;
}
