import { modelName, type Task } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { PopularItem } from '@sextant/features';
import type { Attribution, RankedItem, RecommendResponse, Slate } from '@sextant/inference-protocol';
import type { KnownProducts } from '../customer/customer-features.service.js';
import { type Budget, remainingMs } from '../decision/budget.js';
import type { DecisionEnvelope } from '../decision/decision.js';
import type { DecisionWriter } from '../decision/decision-writer.js';
import type { Climb, Ladder, Rated } from '../decision/ladder.js';
import { type InferenceService, soleSubject } from '../inference/inference.service.js';
import type { CatalogueClient } from '../pricing/catalogue.client.js';
import {
  type Audience,
  audienceKey,
  inView,
  isSession,
  knownProducts,
  NOTHING_KNOWN,
  type StateReader,
  subjectOf,
} from './audience.js';
import type { Popularity } from './popularity.js';
import { admissible, popularityOf, type SeenPopularity, slateByPopularity } from './popularity-rule.js';

export const POPULARITY_RULE = 'heuristic.popularity@1';

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

export interface RecommendationParts {
  inference: InferenceService;
  ladder: Ladder;
  popularity: Popularity;
  catalogue: Pick<CatalogueClient, 'productsOf'>;
  writer: DecisionWriter;
}

/** Slates for any number of questions of one tenant: one read of features, one call to the worker. */
export class RecommendationService {
  constructor(private readonly parts: RecommendationParts) {}

  async answer(
    tenantId: string,
    questions: readonly RecommendationQuestion[],
    readStates: StateReader,
  ): Promise<(RecommendationSet | Error)[]> {
    const knowledge = await knownProducts(
      questions.map(({ audience }) => audience),
      readStates,
    );
    const asked = questions.flatMap((question, i) => {
      const known = knowledge[i];
      return known === undefined || known instanceof Error ? [] : [{ question, known }];
    });
    const [sessions, others] = [asked.filter(ofSession), asked.filter((each) => !ofSession(each))];
    const rated = await Promise.all([
      this.parts.ladder.climb(this.climb(tenantId, sessions)),
      this.parts.ladder.climb(this.climb(tenantId, others)),
    ]);
    const climbed = rated.flat();
    const answers = new Map([...sessions, ...others].map(({ question }, i) => [question, climbed[i]]));
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
  ): Rated<RankedSlate> | Error {
    if (!(reason instanceof DomainError) || reason.code === 'CUSTOMER_NOT_FOUND') return reason;
    const asked = { question, known: NOTHING_KNOWN };
    return this.parts.ladder.findCached(this.climb(tenantId, []), asked, reason.code) ?? reason;
  }

  private climb(tenantId: string, questions: readonly Asked[]): Climb<Asked, RankedSlate> {
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
      this.parts.inference.recommend(
        {
          model: modelName(tenantId, task),
          rows: asked.map(slateRow),
          reasonsPerItem: Math.max(...asked.map(({ question }) => question.reasonsPerItem)),
        },
        {
          tenantId,
          deadlineMs: remainingMs(asked.map(({ question }) => question.budget)),
          subject: soleSubject(asked.map(({ question }) => subjectOf(question.audience))),
        },
      );
    if (!asked.every(ofSession)) return ask('recommend');
    return ask('session').catch((error: unknown) => {
      if (error instanceof DomainError && error.code === 'MODEL_NOT_FOUND') return ask('recommend');
      throw error;
    });
  }

  /**
   * What most recently active customers had to do with, most customers first; score = share of the most popular. Of a product,
   * those that share a category with it come first, as far as the catalogue can be asked.
   */
  private async popularSlate(tenantId: string, asked: Asked): Promise<RankedSlate> {
    const popular = await this.parts.popularity.itemsOf(tenantId);
    const row = slateRow(asked);
    const { audience } = asked.question;
    const related =
      'productId' in audience
        ? await this.related(tenantId, audience.productId, admissible(popular, row))
        : new Set<string>();
    const popularity = popularityOf(popular, related, row);
    return { ...slateByPopularity(popularity, row), popularity };
  }

  /** Which of the candidates share a category with a product; none where the catalogue does not answer. */
  private async related(
    tenantId: string,
    productId: string,
    candidates: readonly PopularItem[],
  ): Promise<Set<string>> {
    const ids = [productId, ...candidates.map((item) => item.productId)];
    const [own, ...others] = (await this.parts.catalogue.productsOf(tenantId, ids)).map((product) =>
      product instanceof Error ? [] : product.categories,
    );
    return new Set(
      candidates.flatMap((item, i) =>
        others[i]?.some((category) => own?.includes(category)) ? [item.productId] : [],
      ),
    );
  }

  private decide(tenantId: string, { question, known }: Asked, rated: Rated<RankedSlate>): RecommendationSet {
    const { audience, slot, first, exclude } = question;
    const isPopular = rated.answer.historyUsed === 0;
    const items = rated.answer.items.map((item, i) => toItem(item, { rank: i + 1, isPopular, audience }));
    const begun = this.parts.writer.begin();
    const envelope = this.parts.writer.finish(
      begun,
      { ...rated, attribution: question.reasonsPerItem > 0 ? slateAttribution(rated.answer) : null },
      {
        content: {
          tenantId,
          kind: 'recommend',
          subject: subjectOf(audience),
          customerId: 'customerId' in audience ? audience.customerId : null,
          input: { ...known, exclude, inView: inView(audience), first, ...waySeen(rated.answer) },
          propensity: 1,
        },
        output: {
          slot,
          items: slateOutput(rated.answer),
        },
      },
    );
    return { ...envelope, items };
  }
}

/** A slate with what the rule of popularity saw, where that made it. */
type RankedSlate = Slate & { popularity?: SeenPopularity };

/** What a replay needs to know of how a slate came about. */
function waySeen({ sums, popularity }: RankedSlate): { sums: number } | { popularity: SeenPopularity } {
  return popularity ? { popularity } : { sums };
}

/** What the log keeps of a slate. */
export function slateOutput({ items }: Slate): { productId: string; rank: number; score: number }[] {
  return items.map(({ item, score }, i) => ({ productId: item, rank: i + 1, score }));
}

function ofSession({ question }: Asked): boolean {
  return isSession(question.audience);
}

function slateRow({ question: { audience, exclude, first }, known }: Asked) {
  return {
    history: [...known.history],
    exclude: [...exclude, ...known.disliked, ...inView(audience)],
    first,
  };
}

/** Distinguishes questions inside one tenant; what was asked to explain them does not. */
export function questionKey({ audience, slot, first, exclude }: RecommendationQuestion): string {
  return JSON.stringify([
    slot,
    first,
    exclude.length > 1 ? exclude.toSorted() : exclude,
    audienceKey(audience),
  ]);
}

function toItem(
  { item, score, reasons }: RankedItem,
  { rank, isPopular, audience }: { rank: number; isPopular: boolean; audience: Audience },
): RecommendedItem {
  const cause = reasons.find(({ contribution }) => contribution > 0);
  const relation = 'productId' in audience ? 'Similar to' : 'Goes with';
  const otherwise = isPopular ? 'Popular at the moment' : 'Fits the products seen before';
  const reason = cause ? `${relation} ${cause.becauseOf}` : otherwise;
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
