import { modelName } from '@sextant/artefacts';
import { type DecimalMoney, minorUnitDigits, toDecimal } from '@sextant/domain';
import { calendarContext, type DemandContext } from '@sextant/features';
import {
  type GuardrailOutcome,
  type Quote,
  type QuoteRow,
  toFeatureTable,
} from '@sextant/inference-protocol';
import { type Budget, remainingMs } from '../decision/budget.js';
import type { DecisionEnvelope } from '../decision/decision.js';
import type { DecisionWriter } from '../decision/decision-writer.js';
import type { Climb, Ladder, Rated } from '../decision/ladder.js';
import type { InferenceService } from '../inference/inference.service.js';
import type { CatalogueClient, CatalogueProduct } from './catalogue.client.js';
import {
  listPriceWithin,
  priceBounds,
  type PriceBounds,
  type PriceRules,
  roundingFor,
} from './price-rules.js';
import { signQuote } from './quote-token.js';

export const LIST_PRICE_RULE = 'heuristic.list-price@1';
const VALID_MS = 15 * 60_000;

export interface PriceQuestion {
  productId: string;
  quantity: number;
  region: string | null;
  /** kept with the decision; the price does not depend on it */
  customerId: string | null;
  explain: boolean;
  budget: Budget;
}

interface Interval {
  value: number;
  low: number;
  high: number;
  level: number;
}

export interface PriceQuote extends DecisionEnvelope {
  product: { id: string };
  price: DecimalMoney;
  listPrice: DecimalMoney;
  validUntil: Date;
  token: string;
  guardrails: { rule: string; bound: boolean; before: string; after: string }[];
  personalDataUsed: boolean;
  disclosure: string | null;
  expectedUnits: Interval | null;
  expectedMargin: Interval | null;
}

interface Asked {
  question: PriceQuestion;
  product: CatalogueProduct;
  bounds: PriceBounds;
  /** context columns of the demand model */
  context: DemandContext;
}

/** What a quote is made from, as the log keeps it: amounts in minor units. */
export interface PriceInput extends PriceBounds {
  productId: string;
  quantity: number;
  region: string | null;
  listPriceMinor: number;
  costMinor: number | null;
  currency: string;
  /** null: unlimited or not counted */
  stock: number | null;
  context: DemandContext;
}

interface Answer {
  priceMinor: number;
  currency: string;
  guardrails: readonly GuardrailOutcome[];
  quote: Quote | null;
}

export interface PriceParts {
  inference: InferenceService;
  ladder: Ladder;
  catalogue: CatalogueClient;
  writer: DecisionWriter;
}

export interface PriceOptions {
  rules: PriceRules;
  quoteKey: Buffer;
}

/** Quotes for any number of one tenant's products: one read of the catalogue, one call to the worker. */
export class PriceService {
  constructor(
    private readonly parts: PriceParts,
    private readonly options: PriceOptions,
  ) {}

  async answer(tenantId: string, questions: readonly PriceQuestion[]): Promise<(PriceQuote | Error)[]> {
    const products = await this.parts.catalogue.productsOf(
      tenantId,
      questions.map(({ productId }) => productId),
    );
    const calendar = calendarContext(this.parts.writer.now());
    const asked = questions.map((question, i): Asked | Error => {
      const context = { ...calendar, region: question.region };
      const product = products[i] ?? new RangeError('a product was not read');
      return product instanceof Error
        ? product
        : { question, product, bounds: priceBounds(product, this.options.rules), context };
    });
    const rated = await this.rate(
      tenantId,
      asked.filter((row): row is Asked => !(row instanceof Error)),
    );
    return asked.map((row) => {
      if (row instanceof Error) return row;
      const answer = rated.get(row) ?? new RangeError('a question was lost');
      return answer instanceof Error ? answer : this.decide(tenantId, row, answer);
    });
  }

  /** Rows whose bounds contradict each other would spoil the worker's batch; for them the list price stands. */
  private async rate(tenantId: string, asked: readonly Asked[]): Promise<Map<Asked, Rated<Answer> | Error>> {
    const { possible = [], conflicting = [] } = Object.groupBy(asked, ({ bounds }) =>
      bounds.floorMinor <= bounds.ceilingMinor ? 'possible' : 'conflicting',
    );
    const climb = this.climb(tenantId, possible);
    const rated = new Map<Asked, Rated<Answer> | Error>();
    (await this.parts.ladder.climb(climb)).forEach((answer, i) => {
      const row = possible[i];
      if (row) rated.set(row, answer);
    });
    for (const row of conflicting) {
      rated.set(row, await this.parts.ladder.answerWithoutModel(climb, row, 'GUARDRAIL_CONFLICT'));
    }
    return rated;
  }

  private climb(tenantId: string, questions: readonly Asked[]): Climb<Asked, Answer> {
    return {
      kind: 'price',
      tenantId,
      questions,
      keyOf: ({ question }) => quoteQuestionKey(question),
      keptOf: (answer) => ({ ...answer, quote: answer.quote && { ...answer.quote, attribution: null } }),
      isUsable: ({ priceMinor, currency }, { product, bounds }) =>
        currency === product.currency && priceMinor >= bounds.floorMinor && priceMinor <= bounds.ceilingMinor,
      askModel: async (asked) => {
        const response = await this.parts.inference.quotePrices(
          {
            model: modelName(tenantId, 'price'),
            rows: asked.map((each) => quoteRow(inputOf(each))),
            explain: asked.some(({ question }) => question.explain),
            context: toFeatureTable(asked.map(({ context }) => context)),
          },
          {
            tenantId,
            deadlineMs: remainingMs(asked.map(({ question }) => question.budget)),
          },
        );
        const answers = response.quotes.map((quote, i) => ({
          priceMinor: quote.priceMinor,
          currency: asked[i]?.product.currency ?? '',
          guardrails: quote.guardrails,
          quote,
        }));
        return { servedBy: response.servedBy, answers, explanationRefused: response.explanationRefused };
      },
      heuristic: ({ product, bounds }) => ({
        modelId: LIST_PRICE_RULE,
        answer: { ...listPriceWithin(product, bounds), currency: product.currency, quote: null },
      }),
    };
  }

  private decide(tenantId: string, asked: Asked, rated: Rated<Answer>): PriceQuote {
    const { question, product } = asked;
    const { currency } = product;
    const { priceMinor, quote } = rated.answer;
    const begun = this.parts.writer.begin();
    const validUntil = new Date(begun.decidedAt.getTime() + VALID_MS);
    const { productId, quantity } = question;
    const { decisionId } = begun;
    const token = signQuote(
      { tenantId, productId, priceMinor, currency, quantity, decisionId, validUntil },
      this.options.quoteKey,
    );
    const shown = shownOf(rated.answer, product);
    const envelope = this.parts.writer.finish(
      begun,
      { ...rated, attribution: question.explain ? (quote?.attribution ?? null) : null },
      {
        content: {
          ...{ tenantId, kind: 'price', subject: productId, customerId: question.customerId },
          input: inputOf(asked),
          propensity: 1,
        },
        output: { ...shown, quantity, validUntil: validUntil.toISOString() },
      },
    );
    const expected =
      rated.servedBy.rung === 'MODEL' && quote ? expectationOf(quote, product) : NO_EXPECTATION;
    return {
      ...envelope,
      ...shown,
      ...expected,
      product: { id: productId },
      validUntil,
      token,
      personalDataUsed: false,
      disclosure: null,
    };
  }
}

/** Distinguishes questions inside one tenant; who asks is no part of it. */
export function quoteQuestionKey({ productId, quantity, region }: PriceQuestion): string {
  return JSON.stringify([productId, quantity, region]);
}

function inputOf({ question, product, bounds, context }: Asked): PriceInput {
  const { productId, quantity, region } = question;
  const { listPriceMinor, costMinor, currency, stock } = product;
  return {
    ...{ productId, quantity, region, listPriceMinor, costMinor, currency, stock },
    ...bounds,
    context,
  };
}

export function quoteRow({
  productId,
  costMinor,
  context: _context,
  region: _region,
  ...input
}: PriceInput): QuoteRow {
  return {
    ...input,
    product: productId,
    costMinor: costMinor ?? 0,
    stepMinor: 1,
    rounding: roundingFor(input, input.currency),
  };
}

/** What client and log see of a price, in decimal strings. */
export function shownOf(
  { priceMinor, guardrails }: Pick<Answer, 'priceMinor' | 'guardrails'>,
  { listPriceMinor, currency }: Pick<CatalogueProduct, 'listPriceMinor' | 'currency'>,
) {
  const decimal = (amountMinor: number): DecimalMoney => toDecimal({ amountMinor, currency });
  return {
    price: decimal(priceMinor),
    listPrice: decimal(listPriceMinor),
    guardrails: guardrails.map(({ rule, bound, beforeMinor, afterMinor }) => ({
      rule,
      bound,
      before: decimal(beforeMinor).amount,
      after: decimal(afterMinor).amount,
    })),
  };
}

const NO_EXPECTATION = { expectedUnits: null, expectedMargin: null };

function expectationOf(quote: Quote, { costMinor, currency }: CatalogueProduct) {
  const level = quote.intervalLevel;
  const major = (minor: number): number => minor / 10 ** minorUnitDigits(currency);
  return {
    expectedUnits: {
      value: quote.expectedUnits,
      low: quote.expectedUnitsLow,
      high: quote.expectedUnitsHigh,
      level,
    },
    expectedMargin:
      costMinor === null
        ? null
        : {
            value: major(quote.expectedMarginMinor),
            low: major(quote.expectedMarginMinorLow),
            high: major(quote.expectedMarginMinorHigh),
            level,
          },
  };
}
