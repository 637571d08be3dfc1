import { modelName } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { calendarContext } from '@sextant/features';
import { type FeatureCell, readFloat64, toFeatureTable } from '@sextant/inference-protocol';
import { type Budget, remainingMs } from '../decision/budget.js';
import type { DecisionWriter } from '../decision/decision-writer.js';
import type { InferenceService } from '../inference/inference.service.js';

const MAX_PRICES = 100;
const PRICE = /^\d{1,13}(\.\d{1,9})?$/;

export interface DemandQuestion {
  productId: string;
  prices: readonly string[];
  context: Readonly<Record<string, FeatureCell>>;
  budget: Budget;
}

export interface DemandPoint {
  price: string;
  medianUnits: number;
  expectedUnits: { value: number; low: number; high: number; level: number };
}

/** What-if curves for any number of one tenant's products: one call to the worker. */
export class DemandService {
  constructor(
    private readonly inference: InferenceService,
    private readonly writer: Pick<DecisionWriter, 'now'>,
  ) {}

  /**
   * Null for every question while the model cannot answer: a curve has no heuristic that would be honest. A question that the model
   * refuses, for a column of its context, gets the refusal in its place, and the others their curves.
   */
  async answer(
    tenantId: string,
    questions: readonly DemandQuestion[],
  ): Promise<(DemandPoint[] | DomainError | null)[]> {
    try {
      return await this.askModel(tenantId, questions);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (error.kind !== 'invalid-input') return questions.map(() => null);
      if (questions.length === 1) return [error];
      const half = Math.ceil(questions.length / 2);
      const halves = [questions.slice(0, half), questions.slice(half)];
      return (await Promise.all(halves.map((each) => this.answer(tenantId, each)))).flat();
    }
  }

  private async askModel(tenantId: string, questions: readonly DemandQuestion[]): Promise<DemandPoint[][]> {
    const calendar = calendarContext(this.writer.now());
    const rows = questions.flatMap(({ productId, prices, context }) =>
      prices.map((price) => ({ ...calendar, ...context, product: productId, price: Number(price) })),
    );
    const response = await this.inference.predictDemand(
      { model: modelName(tenantId, 'price'), rows: toFeatureTable(rows) },
      { tenantId, deadlineMs: remainingMs(questions.map(({ budget }) => budget)) },
    );
    const columns = [response.medianUnits, response.expectedUnits, response.lowUnits, response.highUnits].map(
      readFloat64,
    );
    let row = 0;
    return questions.map(({ prices }) =>
      prices.map((price) => {
        const [medianUnits = NaN, value = NaN, low = NaN, high = NaN] = columns.map((column) => column[row]);
        row += 1;
        return { price, medianUnits, expectedUnits: { value, low, high, level: response.intervalLevel } };
      }),
    );
  }
}

/** @throws DomainError INVALID_INPUT unless there are 1 to 100 positive decimals */
export function checkPrices(prices: readonly string[]): readonly string[] {
  if (prices.length < 1 || prices.length > MAX_PRICES) {
    throw new DomainError(
      'INVALID_INPUT',
      `prices must hold 1 to ${MAX_PRICES} values, got ${prices.length}`,
      { path: 'prices' },
    );
  }
  const bad = prices.find((price) => !PRICE.test(price) || Number(price) <= 0);
  if (bad !== undefined) {
    throw new DomainError(
      'INVALID_INPUT',
      `a price is a positive decimal such as 12.90, got "${bad.slice(0, 40)}"`,
      { path: 'prices' },
    );
  }
  return prices;
}

/** @throws DomainError INVALID_INPUT unless it is an object of at most 100 scalars */
export function checkContext(context: unknown): Readonly<Record<string, FeatureCell>> {
  if (context === null || context === undefined) return {};
  const entries = typeof context === 'object' && !Array.isArray(context) ? Object.entries(context) : null;
  const isScalar = (value: unknown): boolean =>
    value === null || ['string', 'number', 'boolean'].includes(typeof value);
  if (!entries || entries.length > 100 || !entries.every(([, value]) => isScalar(value))) {
    throw new DomainError('INVALID_INPUT', 'context must be an object of at most 100 scalars', {
      path: 'context',
    });
  }
  return Object.fromEntries(entries) as Record<string, FeatureCell>;
}
