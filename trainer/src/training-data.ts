import {
  type AssignmentExample,
  assignmentExamples,
  type BehaviourExample,
  behaviourExamples,
  type BehaviourTask,
  DEMAND_EVENT_TYPES,
  type DemandObservation,
  DemandLedger,
  EventDigest,
  EventHistory,
  interactionsOf,
  type LeadExample,
  leadExamples,
  orderValueOf,
  purchaseDayOf,
  textOf,
} from '@sextant/features';
import type { CustomerInteractions } from '@sextant/learning/recommend';
import type { PurchaseDay } from '@sextant/learning/lifetime';
import { type Session, splitBySilence } from '@sextant/learning/session';
import type { Db } from 'mongodb';
import { CustomerSample, drawOf } from './score-task/customer-sample.js';
import type { ScoreExample } from './score-task/score-example.js';

/** What one run learned from, so that the same rows and seed can be told to give the same file. */
export interface DataStatement {
  dataSha256: string;
  /** events read */
  dataRows: number;
}

export interface PurchaseData extends DataStatement {
  customers: PurchaseDay[][];
  /** last day that is known, counted from 1970 in UTC */
  until: number;
  /** of the orders, the most frequent first; '' where none is named */
  currencies: string[];
}

/** A visit ends when nothing was viewed for so long. */
const SILENCE_MS = 30 * 60_000;
const INTERACTION_TYPES = ['product_view', 'order', 'interaction'] as const;

/** Snapshots of churn and purchase that are kept; a larger history is sampled by customer. */
const MAX_SNAPSHOTS = 10_000;
/** Assignments that are kept, likewise. */
const MAX_ASSIGNMENTS = 30_000;

export interface BehaviourOptions {
  horizonDays: number;
  /** most snapshots of one customer */
  snapshots: number;
  seed: number;
}

/** Rows for each task from one tenant's event history; nothing from after `now` is read. */
export class TrainingData {
  private readonly history: EventHistory;

  constructor(
    db: Db,
    private readonly tenantId: string,
    private readonly now: Date,
  ) {
    this.history = new EventHistory(db);
  }

  async interactions(): Promise<{ customers: CustomerInteractions[] } & DataStatement> {
    const digest = new EventDigest();
    const met = new Map<string, { itemId: string; at: number; relevant: boolean }[]>();
    const options = { until: this.now, digest };
    for await (const event of this.history.ofTypes(this.tenantId, INTERACTION_TYPES, options)) {
      if (event.customerId === undefined) continue;
      const own = met.get(event.customerId) ?? [];
      for (const { productId, at, relevant } of interactionsOf(event))
        own.push({ itemId: productId, at, relevant });
      met.set(event.customerId, own);
    }
    const customers = [...met].map(([customerId, interactions]) => ({ customerId, interactions }));
    return { customers, ...statement(digest) };
  }

  /** Views of each customer, apart where half an hour passed without one. */
  async sessions(): Promise<{ sessions: Session[] } & DataStatement> {
    const digest = new EventDigest();
    const views = new Map<string, { itemId: string; at: number }[]>();
    const options = { until: this.now, digest };
    for await (const event of this.history.ofTypes(this.tenantId, ['product_view'], options)) {
      if (event.customerId === undefined) continue;
      const own = views.get(event.customerId) ?? [];
      for (const { productId, at } of interactionsOf(event)) own.push({ itemId: productId, at });
      views.set(event.customerId, own);
    }
    const sessions = [...views.values()].flatMap((own) => splitBySilence(own, SILENCE_MS));
    return { sessions, ...statement(digest) };
  }

  async demand(): Promise<{ observations: DemandObservation[] } & DataStatement> {
    const digest = new EventDigest();
    const ledger = new DemandLedger();
    for await (const event of this.history.ofTypes(this.tenantId, DEMAND_EVENT_TYPES, {
      until: this.now,
      digest,
    }))
      ledger.add(event);
    return { observations: ledger.observations(), ...statement(digest) };
  }

  /** Purchase days of each customer up to the end of the history, and the currency of most orders. */
  async purchases(): Promise<PurchaseData> {
    const digest = new EventDigest();
    const byCustomer = new Map<string, PurchaseDay[]>();
    const orders = new Map<string, number>();
    const until = (await this.history.endOfCustomers(this.tenantId, { until: this.now })) ?? this.now;
    for await (const event of this.history.ofTypes(this.tenantId, ['order'], { until: this.now, digest })) {
      if (event.customerId === undefined) continue;
      const own = byCustomer.get(event.customerId) ?? [];
      own.push({ day: purchaseDayOf(event.at.getTime()), value: orderValueOf(event) });
      byCustomer.set(event.customerId, own);
      const currency = textOf(event.properties['currency']) ?? '';
      orders.set(currency, (orders.get(currency) ?? 0) + 1);
    }
    const currencies = [...orders].sort(([, a], [, b]) => b - a).map(([currency]) => currency);
    return {
      customers: [...byCustomer.values()],
      // The end may be midnight, and nothing of that day is known then.
      until: purchaseDayOf(until.getTime() - 1),
      currencies,
      ...statement(digest),
    };
  }

  /** @param horizonDays  how long a lead may take to be won */
  async leads(horizonDays: number): Promise<{ examples: ScoreExample[] } & DataStatement> {
    const digest = new EventDigest();
    const examples: ScoreExample[] = [];
    for await (const { events } of this.history.customers(this.tenantId, { until: this.now, digest })) {
      examples.push(...timed(leadExamples(events, { horizonDays, now: this.now })));
    }
    return { examples, ...statement(digest) };
  }

  /** Customers drawn into experiments, all of them or a seeded sample. */
  async assignments({
    horizonDays,
    seed,
  }: {
    horizonDays: number;
    seed: number;
  }): Promise<{ examples: AssignmentExample[]; notes: string[] } & DataStatement> {
    const digest = new EventDigest();
    const sample = new CustomerSample<AssignmentExample>(MAX_ASSIGNMENTS, seed);
    const until = (await this.history.endOfCustomers(this.tenantId, { until: this.now })) ?? this.now;
    const customers = this.history.customers(this.tenantId, { until: this.now, digest });
    for await (const { customerId, events } of customers) {
      if (sample.takes(customerId))
        sample.add(customerId, assignmentExamples(events, { horizonDays, until }));
    }
    return { examples: sample.rows(), notes: notesOf(sample), ...statement(digest) };
  }

  /** Snapshots at past instants, of all customers or of a seeded sample of them. */
  async behaviour(
    task: BehaviourTask,
    { horizonDays, snapshots, seed }: BehaviourOptions,
  ): Promise<{ examples: ScoreExample[]; notes: string[] } & DataStatement> {
    const digest = new EventDigest();
    const sample = new CustomerSample<ScoreExample>(MAX_SNAPSHOTS, seed);
    const until = (await this.history.endOfCustomers(this.tenantId, { until: this.now })) ?? this.now;
    for await (const { customerId, events } of this.history.customers(this.tenantId, {
      until: this.now,
      digest,
    })) {
      if (!sample.takes(customerId)) continue;
      const phase = drawOf(`phase:${customerId}`, seed);
      sample.add(
        customerId,
        timed(behaviourExamples(task, events, { horizonDays, until, snapshots, phase })),
      );
    }
    return { examples: sample.rows(), notes: notesOf(sample), ...statement(digest) };
  }
}

function timed(examples: readonly (LeadExample | BehaviourExample)[]): ScoreExample[] {
  return examples.map((example) => ({ ...example, at: example.at.getTime() }));
}

function statement(digest: EventDigest): DataStatement {
  return { dataSha256: digest.sha256(), dataRows: digest.count };
}

function notesOf({ share }: { share: number }): string[] {
  return share === 1 ? [] : [`learnt from a seeded sample of one customer in ${1 / share}`];
}
