import { modelName, type Task } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { CustomerState } from '@sextant/features';
import type { Attribution, RankedItem, RecommendResponse, Slate } from '@sextant/inference-protocol';
import { type KnownProducts, knownProductsOf } from '../customer/customer-features.service.js';
import { type Budget, remainingMs } from '../decision/budget.js';
import type { DecisionEnvelope } from '../decision/decision.js';
import type { DecisionWriter } from '../decision/decision-writer.js';
import type { Climb, Ladder, Rated } from '../decision/ladder.js';
import type { InferenceService } from '../inference/inference.service.js';
import type { Popularity } from './popularity.js';

export const POPULARITY_RULE = 'heuristic.popularity@1';

/** For whom: a customer, whose history is in the store, or a session, which brings its own. */
export type Audience = { customerId: string } | { anonymousRef: string; viewed: readonly string[] };

export interface RecommendationQuestion {
  audience: Audience;
  slot: string;
  first: number;
  exclude: readonly string[];
  /** most products of the history that are named beside each item; 0 when nobody asked why */
  reasonsPerItem: number;
  budget: Budget;
}

export interface RecommendationSet extends DecisionEnvelope {
  items: RecommendedItem[];
}

export interface RecommendedItem {
  product: { id: string };
  rank: number;
  score: number;
  propensity: number;
  reason: string;
  becauseOf: { id: string } | null;
}

interface Asked {
  question: RecommendationQuestion;
  known: KnownProducts;
}

const NOTHING_KNOWN: KnownProducts = { history: [], disliked: [] };

/** Reads the states of one tenant's customers; an error in the place of one that has none. */
export type StateReader = (customerIds: readonly string[]) => Promise<readonly (CustomerState | Error)[]>;

/** Slates for any number of questions of one tenant: one read of features, one call to the worker. */
export class RecommendationService {
  constructor(
    private readonly inference: InferenceService,
    private readonly ladder: Ladder,
    private readonly popularity: Popularity,
    private readonly writer: DecisionWriter,
  ) {}

  async answer(
    tenantId: string,
    questions: readonly RecommendationQuestion[],
    readStates: StateReader,
  ): Promise<(RecommendationSet | Error)[]> {
    const knowledge = await knownProducts(questions, readStates);
    const asked = questions.flatMap((question, i) => {
      const known = knowledge[i];
      return known === undefined || known instanceof Error ? [] : [{ question, known }];
    });
    const [sessions, customers] = [asked.filter(isSession), asked.filter((each) => !isSession(each))];
    const rated = await Promise.all([
      this.ladder.climb(this.climb(tenantId, sessions)),
      this.ladder.climb(this.climb(tenantId, customers)),
    ]);
    const climbed = rated.flat();
    const answers = new Map([...sessions, ...customers].map(({ question }, i) => [question, climbed[i]]));
    return questions.map((question, i) => {
      const known = knowledge[i] ?? new RangeError('a customer was not read');
      const answer =
        known instanceof Error ? this.answerUnread(tenantId, question, known) : answers.get(question);
      if (answer === undefined) return new RangeError('a question was lost');
      if (answer instanceof Error) return answer;
      return this.decide(
        tenantId,
        { question, known: known instanceof Error ? NOTHING_KNOWN : known },
        answer,
      );
    });
  }

  /** Without features only an earlier answer helps, and only where the store failed: an unknown customer has none. */
  private answerUnread(
    tenantId: string,
    question: RecommendationQuestion,
    reason: Error,
  ): Rated<Slate> | Error {
    if (!(reason instanceof DomainError) || reason.code === 'CUSTOMER_NOT_FOUND') return reason;
    const asked = { question, known: NOTHING_KNOWN };
    return this.ladder.findCached(this.climb(tenantId, []), asked, reason.code) ?? reason;
  }

  private climb(tenantId: string, questions: readonly Asked[]): Climb<Asked, Slate> {
    return {
      kind: 'recommend',
      tenantId,
      questions,
      keyOf: ({ question }) => questionKey(question),
      askModel: async (asked) => {
        const response = await this.askForSlates(tenantId, asked);
        return { servedBy: response.servedBy, answers: response.slates };
      },
      heuristic: async (asked) => ({
        modelId: POPULARITY_RULE,
        answer: await this.popularSlate(tenantId, asked),
      }),
    };
  }

  /** Sessions are ranked by the model of sessions; a tenant without one by the model of customers. */
  private async askForSlates(tenantId: string, asked: readonly Asked[]): Promise<RecommendResponse> {
    const ask = (task: Task): Promise<RecommendResponse> =>
      this.inference.recommend(
        {
          model: modelName(tenantId, task),
          rows: asked.map(slateRow),
          reasonsPerItem: Math.max(...asked.map(({ question }) => question.reasonsPerItem)),
        },
        remainingMs(asked.map(({ question }) => question.budget)),
      );
    if (!asked.every(isSession)) return ask('recommend');
    return ask('session').catch((error: unknown) => {
      if (error instanceof DomainError && error.code === 'MODEL_NOT_FOUND') return ask('recommend');
      throw error;
    });
  }

  /** What most recently active customers had to do with, most customers first; score = share of the most popular. */
  private async popularSlate(tenantId: string, { question, known }: Asked): Promise<Slate> {
    const popular = await this.popularity.itemsOf(tenantId);
    const excluded = new Set(slateRow({ question, known }).exclude);
    const most = popular[0]?.customers ?? 1;
    const items = popular
      .filter(({ productId }) => !excluded.has(productId))
      .slice(0, question.first)
      .map(({ productId, customers }) => ({
        item: productId,
        score: customers / most,
        reasons: [],
        residual: customers / most,
      }));
    return { items, historyUsed: 0 };
  }

  private decide(tenantId: string, { question, known }: Asked, rated: Rated<Slate>): RecommendationSet {
    const { audience, slot, first, exclude } = question;
    const items = rated.answer.items.map((item, i) =>
      toItem(item, { rank: i + 1, isPopular: rated.answer.historyUsed === 0 }),
    );
    const customerId = 'customerId' in audience ? audience.customerId : null;
    const begun = this.writer.begin();
    const envelope = this.writer.finish(
      begun,
      { ...rated, attribution: question.reasonsPerItem > 0 ? slateAttribution(rated.answer) : null },
      {
        content: {
          tenantId,
          kind: 'recommend',
          subject: 'customerId' in audience ? audience.customerId : audience.anonymousRef,
          customerId,
          input: { ...known, exclude, first },
          propensity: 1,
        },
        output: {
          slot,
          items: items.map(({ product, rank, score }) => ({ productId: product.id, rank, score })),
        },
      },
    );
    return { ...envelope, items };
  }
}

function isSession({ question }: Asked): boolean {
  return !('customerId' in question.audience);
}

/** In a session the product that is being looked at is no recommendation; those before it may be. */
function slateRow(asked: Asked) {
  const { question, known } = asked;
  const current = isSession(asked) ? known.history.slice(-1) : [];
  return {
    history: [...known.history],
    exclude: [...question.exclude, ...known.disliked, ...current],
    first: question.first,
  };
}

/** Distinguishes questions inside one tenant; what was asked to explain them does not. */
export function questionKey({ audience, slot, first, exclude }: RecommendationQuestion): string {
  const who =
    'customerId' in audience
      ? ['customer', audience.customerId]
      : ['session', audience.anonymousRef, ...audience.viewed];
  return JSON.stringify([slot, first, exclude.toSorted(), who]);
}

async function knownProducts(
  questions: readonly RecommendationQuestion[],
  readStates: StateReader,
): Promise<(KnownProducts | Error)[]> {
  const customerIds = questions.flatMap(({ audience }) =>
    'customerId' in audience ? [audience.customerId] : [],
  );
  const states = await readStates(customerIds);
  const stateOf = new Map(customerIds.map((id, i) => [id, states[i]]));
  return questions.map(({ audience }) => {
    if (!('customerId' in audience)) return { history: audience.viewed, disliked: [] };
    const state = stateOf.get(audience.customerId) ?? new RangeError('a customer was not read');
    return state instanceof Error ? state : knownProductsOf(state);
  });
}

function toItem(
  { item, score, reasons }: RankedItem,
  { rank, isPopular }: { rank: number; isPopular: boolean },
): RecommendedItem {
  const cause = reasons.find(({ contribution }) => contribution > 0);
  const otherwise = isPopular ? 'Popular at the moment' : 'Fits the products seen before';
  const reason = cause ? `Goes with ${cause.becauseOf}` : otherwise;
  return {
    product: { id: item },
    rank,
    score,
    propensity: 1,
    reason,
    becauseOf: cause ? { id: cause.becauseOf } : null,
  };
}

/** Contributions of each product of the history, summed over the slate. */
function slateAttribution({ items }: Slate): Attribution {
  const sums = new Map<string, number>();
  for (const { becauseOf, contribution } of items.flatMap(({ reasons }) => reasons)) {
    sums.set(becauseOf, (sums.get(becauseOf) ?? 0) + contribution);
  }
  return {
    method: 'history-contributions',
    baseValue: 0,
    contributions: [...sums].map(([productId, contribution]) => ({
      feature: `history.${productId}`,
      contribution,
    })),
    residual: items.reduce((sum, { residual }) => sum + residual, 0),
  };
}
