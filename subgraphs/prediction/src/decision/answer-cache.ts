import { LRUCache } from 'lru-cache';
import type { DecisionKind } from '@sextant/decision-log';
import type { ModelReference } from './decision.js';

/** Which decision an answer was first given with. */
export interface AnswerSource {
  /** null until it is decided, and for good where it never is */
  decisionId: string | null;
}

/** An answer that the model gave, kept for the time when it cannot. */
export interface CachedAnswer<A> {
  answer: A;
  model: ModelReference;
  source: AnswerSource;
}

/** Identity of a question inside its tenant. */
export interface QuestionKey {
  tenantId: string;
  kind: DecisionKind;
  question: string;
}

const MAX_AGE_MS = 24 * 60 * 60 * 1000;

/** The last good answer of each question: bounded, least recently used first out, at most 24 hours old. */
export class AnswerCache {
  private readonly answers: LRUCache<string, CachedAnswer<unknown>>;

  constructor(maxAnswers: number) {
    this.answers = new LRUCache({ max: maxAnswers, ttl: MAX_AGE_MS });
  }

  keep<A>(key: QuestionKey, answer: CachedAnswer<A>): void {
    this.answers.set(textOf(key), answer);
  }

  /** The type of answer follows from the kind: each kind has one writer. */
  find<A>(key: QuestionKey): CachedAnswer<A> | null {
    return (this.answers.get(textOf(key)) as CachedAnswer<A> | undefined) ?? null;
  }
}

function textOf({ tenantId, kind, question }: QuestionKey): string {
  return `${tenantId}\0${kind}\0${question}`;
}
