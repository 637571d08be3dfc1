import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
import {
  type ChooseActionsRequest,
  decisionsService,
  type Decoded,
  float64Bytes,
  type ForecastValueRequest,
  type PredictDemandRequest,
  type QuotePricesRequest,
  readFloat64,
  type RecommendRequest,
  type ScoreLeadsRequest,
  toStatusAnswer,
} from '@sextant/inference-protocol';

const PRODUCTS = Array.from({ length: 30 }, (_, i) => `p${i + 1}`);
const TEMPERATURES = ['COLD', 'WARM', 'HOT'] as const;
const HEIGHTS = ['LOW', 'MEDIUM', 'HIGH'] as const;
const ATTRIBUTION = {
  method: 'linear',
  baseValue: -1,
  contributions: [
    { feature: 'form.budget', contribution: 0.25, number: 1000 },
    { feature: 'form.industry', contribution: -0.75, text: 'steel' },
  ],
  residual: 0.125,
};

/** A gRPC server that speaks `sextant.inference.v1.Decisions` with arithmetic that tests can follow; it can die, return, be slow or refuse. */
export class FixtureWorker {
  readonly calls: string[] = [];
  readonly requests: unknown[] = [];
  /** what came with each call */
  readonly metadata: Record<string, unknown>[] = [];
  delayMs = 0;
  refusal: DomainError | null = null;
  /** why it refuses this one request; null: it does not */
  judge: (request: unknown) => DomainError | null = () => null;
  /** why it answers scores and quotes without attributions; empty: it does not */
  explanationRefused = '';
  /** Models that it does not have. */
  readonly missing = new Set<string>();
  private server: Server | null = null;
  private port = 0;

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** On the port it had before, where it had one. */
  async start(): Promise<void> {
    const server = new Server();
    server.addService(decisionsService, {
      recommend: this.answer('Recommend', recommend),
      scoreLeads: this.answer('ScoreLeads', scoreLeads),
      quotePrices: this.answer('QuotePrices', quotePrices),
      predictDemand: this.answer('PredictDemand', predictDemand),
      forecastValue: this.answer('ForecastValue', forecastValue),
      chooseActions: this.answer('ChooseActions', chooseActions),
    });
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.port}`, ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    this.server = server;
  }

  /** At once, with calls in flight cut off. */
  die(): void {
    this.server?.forceShutdown();
    this.server = null;
  }

  private answer<Request extends { model: string }>(rpc: string, compute: (request: Request) => object) {
    return (call: ServerUnaryCall<Request, object>, reply: sendUnaryData<object>): void => {
      this.calls.push(rpc);
      this.requests.push(call.request);
      this.metadata.push(call.metadata.getMap());
      const servedBy = {
        ...{ model: call.request.model, version: '7', device: 'CPU', queueMs: 0.5, computeMs: 1.5 },
        ...{ batchSize: 3, trainedAt: '2026-02-01T00:00:00Z' },
      };
      const refusal = this.missing.has(call.request.model)
        ? new DomainError('MODEL_NOT_FOUND', `there is no ${call.request.model}`)
        : (this.refusal ?? this.judge(call.request));
      const answer = (): void =>
        refusal
          ? reply(toStatusAnswer(refusal))
          : reply(null, {
              servedBy,
              ...compute(this.asFarAsExplained(call.request)),
              explanationRefused: this.explanationRefused,
            });
      if (this.delayMs > 0) setTimeout(answer, this.delayMs);
      else answer();
    };
  }

  private asFarAsExplained<Request>(request: Request): Request {
    return this.explanationRefused === '' ? request : { ...request, explain: false };
  }
}

/** Products in order of number, without history and exclusions; the newest product of the history is every item's reason. */
function recommend({ rows, reasonsPerItem }: Decoded<RecommendRequest>): object {
  const slates = rows.map(({ history, exclude, first }) => {
    const hidden = new Set([...history, ...exclude]);
    const reason = reasonsPerItem > 0 ? history.at(-1) : undefined;
    const items = PRODUCTS.filter((id) => !hidden.has(id)).slice(0, first);
    const reasons = reason === undefined ? [] : [{ becauseOf: reason, contribution: 0.5 }];
    const ranked = items.map((item, i) => ({ item, score: 1 - i / 100, reasons, residual: 0.5 - i / 100 }));
    return { items: ranked, historyUsed: history.length };
  });
  return { slates };
}

/** A lead's probability = form.budget / 10,000; churn's = recency.days / 100; purchase's = 0.2. */
function scoreLeads({ model, rows, explain }: Decoded<ScoreLeadsRequest>): object {
  const values = (name: string): Float64Array => {
    const column = rows?.numeric.find((each) => each.name === name);
    return column ? readFloat64(column.values) : new Float64Array(rows?.rows ?? 0);
  };
  const task = model.slice(model.indexOf('.') + 1);
  const [probabilities, names, horizonDays] =
    task === 'churn'
      ? [values('recency.days').map((days) => Math.min(1, days / 100)), HEIGHTS, 30]
      : task === 'purchase'
        ? [values('recency.days').fill(0.2), HEIGHTS, 7]
        : [values('form.budget').map((budget) => budget / 10_000), TEMPERATURES, 30];
  const scores = [...probabilities].map((value) => {
    const probability = Number.isNaN(value) ? 0.01 : value;
    const band = names[probability >= 0.5 ? 2 : probability >= 0.1 ? 1 : 0];
    const interval = { low: probability / 2, high: Math.min(1, probability * 2), intervalLevel: 0.9 };
    return {
      probability,
      ...interval,
      band,
      percentile: 100 * probability,
      ...(explain && { attribution: ATTRIBUTION }),
    };
  });
  return { scores, horizonDays };
}

/** The list price less a tenth, whatever the bounds say. */
function quotePrices({ rows }: Decoded<QuotePricesRequest>): object {
  const quotes = rows.map(({ listPriceMinor }) => {
    const priceMinor = Math.round(listPriceMinor * 0.9);
    return {
      priceMinor,
      ...{ expectedUnits: 4, expectedUnitsLow: 2, expectedUnitsHigh: 8 },
      ...{
        expectedMarginMinor: 4000,
        expectedMarginMinorLow: 2000,
        expectedMarginMinorHigh: 8000,
        intervalLevel: 0.8,
      },
      guardrails: [{ rule: 'floor', bound: false, beforeMinor: priceMinor, afterMinor: priceMinor }],
      attribution: ATTRIBUTION,
    };
  });
  return { quotes };
}

/** Median units = 100 / price. */
function predictDemand({ rows }: Decoded<PredictDemandRequest>): object {
  const prices = readFloat64(rows?.numeric.find(({ name }) => name === 'price')?.values ?? Buffer.alloc(0));
  const times = (factor: number): Buffer => float64Bytes(prices.map((price) => (factor * 100) / price));
  return {
    medianUnits: times(1),
    expectedUnits: times(1.1),
    lowUnits: times(0.5),
    highUnits: times(2),
    intervalLevel: 0.9,
  };
}

/** Alive = 1 / (1 + days of silence / 100); one purchase in 100 days ahead, at the mean value, or 10 without one. */
function forecastValue({ customers }: Decoded<ForecastValueRequest>): object {
  const cells = readFloat64(customers);
  const rows = Array.from({ length: cells.length / 6 }, (_, i) => cells.subarray(6 * i, 6 * i + 6));
  const column = (of: (row: Float64Array) => number): Buffer => float64Bytes(Float64Array.from(rows, of));
  const purchases = (row: Float64Array): number => (row[5] ?? 0) / 100;
  const value = (row: Float64Array): number => purchases(row) * (Number.isNaN(row[3]) ? 10 : (row[3] ?? 0));
  return {
    probabilityAlive: column(([, recency = 0, age = 0]) => 1 / (1 + (age - recency) / 100)),
    expectedPurchases: column(purchases),
    value: column(value),
    valueLow: column((row) => value(row) / 2),
    valueHigh: column((row) => value(row) * 2),
    intervalLevel: 0.9,
    currency: 'USD',
  };
}

/** A mail raises the probability by 0.1 ± 0.02, a call by 0.05 ± 0.1 (not proven); a fax is refused. */
function chooseActions({ rows }: Decoded<ChooseActionsRequest>): object {
  const count = rows?.rows ?? 0;
  const table = (effects: readonly number[]): Buffer =>
    float64Bytes(
      Float64Array.from({ length: count * effects.length }, (_, i) => effects[i % effects.length] ?? 0),
    );
  return {
    actions: [
      { id: 'mail', channel: 'email', cost: 1 },
      { id: 'call', channel: 'phone', cost: 6 },
    ],
    refused: [{ id: 'fax', channel: 'fax', because: 'no model beats random targeting' }],
    without: table([0.3]),
    uplift: table([0.1, 0.05]),
    upliftLow: table([0.08, -0.05]),
    upliftHigh: table([0.12, 0.15]),
    intervalLevel: 0.9,
    goal: 'retain',
    horizonDays: 14,
    outcomeValue: 50,
    currency: 'EUR',
    sureFrom: 0.5,
  };
}
