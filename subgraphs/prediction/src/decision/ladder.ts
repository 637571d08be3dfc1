import { DomainError } from '@sextant/domain';
import type { ServedBy as WorkerServedBy } from '@sextant/inference-protocol';
import { modelVersionId } from '@sextant/model-registry';
import type { AnswerCache, AnswerSource } from './answer-cache.js';
import type { DecisionKind, Rung } from '@sextant/decision-log';
import { DEVICES, type ModelReference, type ServedBy } from './decision.js';

/** An answer with the rung of the ladder that it stands on. */
export interface Rated<A> {
  answer: A;
  model: ModelReference;
  servedBy: ServedBy;
  /** of an answer that a model gave, now or before; a rule has none */
  source?: AnswerSource;
}

export interface ModelAnswers<A> {
  servedBy: WorkerServedBy;
  answers: readonly A[];
  /** why the answers lack the attributions that were asked for; empty: they have them */
  explanationRefused?: string;
}

/** One climb: questions of one kind and tenant that are put to the model together. */
export interface Climb<Q, A> {
  kind: DecisionKind;
  tenantId: string;
  questions: readonly Q[];
  /** identity of a question inside tenant and kind */
  keyOf(question: Q): string;
  /** one call for all; answers in the order of the questions */
  askModel(questions: readonly Q[]): Promise<ModelAnswers<A>>;
  /** the answer as it is kept for the CACHE rung, without what that rung does not show; all of it when absent */
  keptOf?(answer: A): A;
  /** whether an earlier answer may still be given */
  isUsable?(answer: A, question: Q): boolean;
  /** the rule that answers when nothing else does */
  heuristic(question: Q): Promise<{ modelId: string; answer: A }> | { modelId: string; answer: A };
}

/**
 * MODEL → CACHE → HEURISTIC. A failure of inference, whatever its code, lowers the rung and becomes the reason; anything
 * that is no DomainError is a bug and rejects. Where the heuristic fails too (it may need the store), its error stands in
 * the place of that question's answer.
 */
export class Ladder {
  constructor(private readonly cache: AnswerCache) {}

  async climb<Q, A>(climb: Climb<Q, A>): Promise<(Rated<A> | Error)[]> {
    if (climb.questions.length === 0) return [];
    try {
      return await this.askModel(climb);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return Promise.all(
        climb.questions.map((question) =>
          this.answerWithoutModel(climb, question, error.code).catch(asError),
        ),
      );
    }
  }

  /** The lower rungs for one question, when it cannot even be put to the model. */
  async answerWithoutModel<Q, A>(climb: Climb<Q, A>, question: Q, reason: string): Promise<Rated<A>> {
    const cached = this.findCached(climb, question, reason);
    if (cached) return cached;
    const { modelId, answer } = await climb.heuristic(question);
    return { answer, model: ruleReference(modelId), servedBy: without('HEURISTIC', reason) };
  }

  /** The CACHE rung alone; null when it holds no usable answer. */
  findCached<Q, A>(
    climb: Omit<Climb<Q, A>, 'askModel' | 'heuristic'>,
    question: Q,
    reason: string,
  ): Rated<A> | null {
    const { kind, tenantId } = climb;
    const cached = this.cache.find<A>({ tenantId, kind, question: climb.keyOf(question) });
    if (!cached || climb.isUsable?.(cached.answer, question) === false) return null;
    return { ...cached, servedBy: without('CACHE', reason) };
  }

  private async askModel<Q, A>(climb: Climb<Q, A>): Promise<Rated<A>[]> {
    const { servedBy: served, answers, explanationRefused = '' } = await climb.askModel(climb.questions);
    const model = servedModel(served);
    const servedBy = servedByModel(served, explanationRefused);
    return answers.map((answer, i) => {
      const question = climb.questions[i];
      if (question === undefined)
        throw new RangeError(`${answers.length} answers for ${climb.questions.length} questions`);
      const { kind, tenantId } = climb;
      const source: AnswerSource = { decisionId: null };
      const kept = climb.keptOf ? climb.keptOf(answer) : answer;
      this.cache.keep({ tenantId, kind, question: climb.keyOf(question) }, { answer: kept, model, source });
      return { answer, model, servedBy, source };
    });
  }
}

/** A rule in the place of a model; rules are LIVE as long as the code is, and were never trained. */
export function ruleReference(id: string): ModelReference {
  return { id, stage: 'LIVE', trainedAt: null };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function without(rung: Rung, fallbackReason: string): ServedBy {
  return { device: 'NONE', rung, queueMs: 0, computeMs: 0, batchSize: 0, fallbackReason };
}

function servedModel({ model, version, trainedAt }: WorkerServedBy): ModelReference {
  const at = new Date(trainedAt);
  return {
    id: modelVersionId(model, version),
    stage: null,
    trainedAt: Number.isNaN(at.getTime()) ? null : at,
  };
}

function servedByModel(
  { device, queueMs, computeMs, batchSize }: WorkerServedBy,
  explanationRefused: string,
): ServedBy {
  return {
    // A worker newer than this process may compute on what the graph does not know yet.
    device: DEVICES.find((known) => known === device) ?? 'GPU',
    rung: 'MODEL',
    queueMs,
    computeMs,
    batchSize,
    fallbackReason: explanationRefused === '' ? null : explanationRefused,
  };
}
