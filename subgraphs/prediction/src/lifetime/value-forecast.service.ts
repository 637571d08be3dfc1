import { modelName } from '@sextant/artefacts';
import { type DecimalMoney, DomainError, fromMajor } from '@sextant/domain';
import { type CustomerState, type PurchaseSummary, purchaseSummary } from '@sextant/features';
import { float64Bytes, type ForecastValueResponse, readFloat64 } from '@sextant/inference-protocol';
import { type Budget, remainingMs } from '../decision/budget.js';
import type { DecisionEnvelope } from '../decision/decision.js';
import type { DecisionWriter } from '../decision/decision-writer.js';
import type { Climb, Ladder, Rated } from '../decision/ladder.js';
import { type InferenceService, soleSubject } from '../inference/inference.service.js';
import { REPEAT_RATE_RULE, valueByRepeatRate } from './repeat-rate-rule.js';
import type { ValueEstimate } from './value-estimate.js';

export interface ValueQuestion {
  customerId: string;
  horizonDays: number;
  budget: Budget;
}

export interface ValueForecast extends DecisionEnvelope {
  horizonDays: number;
  value: DecimalMoney;
  /** in major units of the currency of `value` */
  interval: { value: number; low: number; high: number; level: number };
  probabilityAlive: number;
  expectedPurchases: number;
}

interface Asked {
  question: ValueQuestion;
  purchases: PurchaseSummary;
}

export interface ValueForecastParts {
  inference: InferenceService;
  ladder: Ladder;
  writer: DecisionWriter;
}

/** Of orders that name none. */
const DEFAULT_CURRENCY = 'EUR';

/** Lifetime value of any number of one tenant's customers, at any horizons: one call to the worker. */
export class ValueForecastService {
  constructor(private readonly parts: ValueForecastParts) {}

  /**
   * @param states  in the order of the questions; an error where there is none
   * @returns       null for a customer who has never ordered
   */
  async answer(
    tenantId: string,
    questions: readonly ValueQuestion[],
    states: readonly (CustomerState | Error)[],
  ): Promise<(ValueForecast | null | Error)[]> {
    const now = this.parts.writer.now();
    const known = states.map((state) =>
      state instanceof Error ? state : purchaseSummary(state.purchases, now),
    );
    const asked = questions.flatMap((question, i): Asked[] => {
      const purchases = known[i];
      return purchases && !(purchases instanceof Error) ? [{ question, purchases }] : [];
    });
    const rated = await this.parts.ladder.climb(this.climb(tenantId, asked));
    const answers = new Map(asked.map(({ question }, i) => [question, rated[i]]));
    return questions.map((question, i) => {
      const purchases = known[i] ?? null;
      if (purchases === null) return null;
      const isUnread = purchases instanceof Error;
      const answer = isUnread ? this.answerUnread(tenantId, question, purchases) : answers.get(question);
      if (answer === undefined) return new RangeError('a question was lost');
      if (answer instanceof Error) return answer;
      return this.decide(tenantId, { question, purchases: isUnread ? null : purchases }, answer);
    });
  }

  private answerUnread(
    tenantId: string,
    question: ValueQuestion,
    reason: Error,
  ): Rated<ValueEstimate> | Error {
    if (!(reason instanceof DomainError) || reason.code === 'CUSTOMER_NOT_FOUND') return reason;
    const cache = { kind: 'lifetime' as const, tenantId, questions: [question], keyOf: valueQuestionKey };
    return this.parts.ladder.findCached<ValueQuestion, ValueEstimate>(cache, question, reason.code) ?? reason;
  }

  private climb(tenantId: string, questions: readonly Asked[]): Climb<Asked, ValueEstimate> {
    return {
      kind: 'lifetime',
      tenantId,
      questions,
      keyOf: ({ question }) => valueQuestionKey(question),
      askModel: async (asked) => {
        const response = await this.parts.inference.forecastValue(
          {
            model: modelName(tenantId, 'lifetime'),
            customers: customerRows(
              asked.map(({ question: { horizonDays }, purchases }) => ({ ...purchases, horizonDays })),
            ),
          },
          {
            tenantId,
            deadlineMs: remainingMs(asked.map(({ question }) => question.budget)),
            subject: soleSubject(asked.map(({ question }) => question.customerId)),
          },
        );
        return { servedBy: response.servedBy, answers: estimatesOf(response) };
      },
      heuristic: ({ question: { horizonDays }, purchases }) => ({
        modelId: REPEAT_RATE_RULE,
        answer: valueByRule({ ...purchases, horizonDays }),
      }),
    };
  }

  private decide(
    tenantId: string,
    { question, purchases }: { question: ValueQuestion; purchases: PurchaseSummary | null },
    rated: Rated<ValueEstimate>,
  ): ValueForecast {
    const { customerId, horizonDays } = question;
    const { currency, value, low, high, level, probabilityAlive, expectedPurchases } = rated.answer;
    const { writer } = this.parts;
    const envelope = writer.finish(
      writer.begin(),
      { ...rated, attribution: null },
      {
        content: {
          tenantId,
          kind: 'lifetime',
          subject: customerId,
          customerId,
          input: purchases && { ...purchases, horizonDays },
          propensity: null,
        },
        output: { ...rated.answer, horizonDays },
      },
    );
    return {
      ...envelope,
      horizonDays,
      value: fromMajor(value, currency),
      interval: { value, low, high, level },
      probabilityAlive,
      expectedPurchases,
    };
  }
}

export function valueByRule({ horizonDays, ...purchases }: ValueInput): ValueEstimate {
  return valueByRepeatRate(purchases, { horizonDays, defaultCurrency: DEFAULT_CURRENCY });
}

/** Distinguishes questions inside one tenant. */
export function valueQuestionKey({ customerId, horizonDays }: ValueQuestion): string {
  return `${horizonDays} ${customerId}`;
}

/** What a forecast is made from, as the log keeps it. */
export type ValueInput = PurchaseSummary & { horizonDays: number };

/** As `ForecastValueRequest.customers`. */
export function customerRows(inputs: readonly ValueInput[]): Buffer {
  const rows = inputs.flatMap((input) => [
    input.repeats,
    input.recencyDays,
    input.ageDays,
    input.meanRepeatValue ?? Number.NaN,
    input.meanValue,
    input.horizonDays,
  ]);
  return float64Bytes(Float64Array.from(rows));
}

export function estimatesOf(response: ForecastValueResponse): ValueEstimate[] {
  const { intervalLevel: level, currency } = response;
  const [alive, purchases, low, high] = [
    readFloat64(response.probabilityAlive),
    readFloat64(response.expectedPurchases),
    readFloat64(response.valueLow),
    readFloat64(response.valueHigh),
  ];
  return Array.from(readFloat64(response.value), (value, i) => ({
    value,
    low: low[i] ?? value,
    high: high[i] ?? value,
    level,
    probabilityAlive: alive[i] ?? 0,
    expectedPurchases: purchases[i] ?? 0,
    currency,
  }));
}
