import type { ScoreTask } from '@sextant/artefacts';
import type { DecidedOutcome, KnownOutcomes } from '@sextant/decision-log';
import { DomainError } from '@sextant/domain';
import type { FeatureVector } from '@sextant/features';
import { type DecisionsClient, toFeatureTable } from '@sextant/inference-protocol';
import { type ChallengeComparison, type ComparedDecision, compareChampion } from '@sextant/learning';
import type { ModelVersion } from '@sextant/model-registry';

const SCORE_TASKS: readonly string[] = ['lead', 'churn', 'purchase'] satisfies ScoreTask[];
/** Outcomes read at a time. */
const READ_AT_ONCE = 2_000;
/** Rows of one call; few, since the time of its batches counts among those that the guard judges a shadow by. */
const ROWS_AT_ONCE = 16;
/** Decisions compared of one challenger; more change no verdict. */
const MOST_COMPARED = 20_000;
/** Outcomes of several writers may come to be seen this late. */
const OVERLAP_MS = 30_000;
const DEADLINE_MS = 10_000;
/** A challenger that is as good is called worse with at most this chance, and better likewise, both together. */
const FALSE_VERDICTS = 0.01;

export interface Pairing {
  champion: ModelVersion;
  challenger: ModelVersion;
}

interface Progress {
  championId: string;
  recordedFrom: Date;
  seen: Set<string>;
  compared: ComparedDecision[];
}

/**
 * Champion against challenger on the same decisions: as outcomes become known, each logged input is scored by the version that did not decide
 * on it, through the worker by its number. Only decisions that were made after the challenger was trained count: of earlier ones it may have
 * learnt what came of them.
 */
export class ChampionChallenger {
  private readonly progress = new Map<string, Progress>();

  constructor(
    private readonly outcomes: Pick<KnownOutcomes, 'read'>,
    private readonly workers: Pick<DecisionsClient, 'scoreLeads'>,
  ) {}

  /** @returns null for tasks that are no scores, and where no outcome is known */
  async compare({ champion, challenger }: Pairing): Promise<ChallengeComparison | null> {
    if (!SCORE_TASKS.includes(challenger.task)) return null;
    const progress = this.progressOf(champion, challenger);
    await this.readOn(progress, { champion, challenger });
    if (progress.compared.length === 0) return null;
    return compareChampion(progress.compared, { level: 1 - FALSE_VERDICTS });
  }

  /** Of challengers that are none any more. @param kept  ids of those that still are */
  forgetOthers(kept: ReadonlySet<string>): void {
    for (const id of this.progress.keys()) if (!kept.has(id)) this.progress.delete(id);
  }

  private progressOf({ id: championId }: ModelVersion, { id, trainedAt }: ModelVersion): Progress {
    const known = this.progress.get(id);
    if (known?.championId === championId) return known;
    const begun = { championId, recordedFrom: trainedAt, seen: new Set<string>(), compared: [] };
    this.progress.set(id, begun);
    return begun;
  }

  private async readOn(progress: Progress, pairing: Pairing): Promise<void> {
    const { champion, challenger } = pairing;
    while (progress.compared.length < MOST_COMPARED) {
      const { rows, recordedUpTo, isFull } = await this.outcomes.read({
        tenantId: challenger.tenantId,
        modelVersions: [champion.id, challenger.id],
        decidedFrom: challenger.trainedAt,
        recordedFrom: progress.recordedFrom,
        first: READ_AT_ONCE,
      });
      const fresh = rows.filter(({ decision }) => isComparable(decision) && !progress.seen.has(decision.id));
      for (let at = 0; at < fresh.length; at += ROWS_AT_ONCE)
        await this.add(progress, pairing, fresh.slice(at, at + ROWS_AT_ONCE));
      // A page full of one instant would be read for ever.
      const isStuck = isFull && recordedUpTo.getTime() === progress.recordedFrom.getTime();
      const next = isFull ? recordedUpTo.getTime() + (isStuck ? 1 : 0) : recordedUpTo.getTime() - OVERLAP_MS;
      progress.recordedFrom = new Date(Math.max(progress.recordedFrom.getTime(), next));
      if (!isFull) return;
    }
  }

  private async add(progress: Progress, pairing: Pairing, rows: readonly DecidedOutcome[]): Promise<void> {
    for (const own of [pairing.champion, pairing.challenger]) {
      const other = own === pairing.champion ? pairing.challenger : pairing.champion;
      const decided = rows.filter(({ decision }) => decision.modelVersion === own.id);
      const scores = decided.length === 0 ? [] : await this.score(other, decided);
      for (const [i, { decision, reward }] of decided.entries()) {
        const [said, says] = [Number(decision.output['probability']), scores[i] ?? Number.NaN];
        const [champion, challenger] = own === pairing.champion ? [said, says] : [says, said];
        progress.seen.add(decision.id);
        // What is no number is the guard's own concern: it counts as the largest error here.
        const outcome = reward > 0 ? 1 : 0;
        progress.compared.push({
          champion: asScore(champion, 1 - outcome),
          challenger: asScore(challenger, 1 - outcome),
          outcome,
        });
      }
    }
  }

  private async score(version: ModelVersion, decided: readonly DecidedOutcome[]): Promise<number[]> {
    const inputs = decided.map(({ decision }) => decision.input as FeatureVector);
    const { servedBy, scores } = await this.workers.scoreLeads(
      { model: version.model, version: String(version.version), rows: toFeatureTable(inputs) },
      { deadlineMs: DEADLINE_MS, tenant: version.tenantId, priority: 'low', counted: false },
    );
    if (servedBy.version === String(version.version) && scores.length === inputs.length)
      return scores.map(({ probability }) => probability);
    throw new DomainError(
      'INFERENCE_FAILED',
      `the worker answered for ${version.id} with other rows or versions`,
    );
  }
}

function isComparable({ rung, input, output }: DecidedOutcome['decision']): boolean {
  return (
    rung === 'MODEL' &&
    input !== null &&
    typeof input === 'object' &&
    typeof output['probability'] === 'number'
  );
}

function asScore(value: number, otherwise: number): number {
  return value >= 0 && value <= 1 ? value : otherwise;
}
