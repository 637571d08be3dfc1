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
  type HistoryOptions,
  interactionsOf,
  type LeadExample,
  leadExamples,
  orderValueOf,
  purchaseDayOf,
  textOf,
  type TrainingConsent,
  TrainingConsents,
} from '@sextant/features';
import type { CustomerInteractions } from '@sextant/learning/recommend';
import type { PurchaseDay } from '@sextant/learning/lifetime';
import { type Session, splitBySilence } from '@sextant/learning/session';
import type { Db } from 'mongodb';
import { withoutProtected } from './protected-traits.js';
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

/** What a run may learn from, besides the tenant's consents. */
export interface TrainingScope {
  /** only events at or after it, as if nothing had been before */
  from?: Date | null;
  /** traits that must not decide: no column of any example */
  protectedTraits?: readonly string[];
  /** consents as of this instant; now unless a test says otherwise */
  consentAsOf?: Date;
}

/**
 * Rows for each task from one tenant's event history; nothing from after `until` is read, and nothing of a customer who may
 * not be learnt from: as if they had never been there, also in counts and hashes. Only where the tenant's history ends is told
 * by everybody's events.
 */
export class TrainingData {
  private readonly history: EventHistory;
  private readonly consents: TrainingConsents;
  private readonly learnt = new Set<string>();
  private readonly refused = new Set<string>();
  private consent: Promise<TrainingConsent> | null = null;

  constructor(
    db: Db,
    private readonly tenantId: string,
    private readonly until: Date,
    private readonly scope: TrainingScope = {},
  ) {
    this.history = new EventHistory(db);
    this.consents = new TrainingConsents(db);
  }

  /** Customers of whom anything was in the rows handed out so far: to fit, to choose or to measure. */
  get customers(): ReadonlySet<string> {
    return this.learnt;
  }

  /** How many customers were passed over, because they may not be learnt from. */
  get leftOut(): number {
    return this.refused.size;
  }

  async interactions(): Promise<{ customers: CustomerInteractions[] } & DataStatement> {
    const digest = this.digest();
    const met = new Map<string, { itemId: string; at: number; relevant: boolean }[]>();
    for await (const event of this.history.ofTypes(
      this.tenantId,
      INTERACTION_TYPES,
      await this.reading(digest),
    )) {
      if (event.customerId === undefined) continue;
      const own = met.get(event.customerId) ?? [];
      for (const { productId, at, relevant } of interactionsOf(event))
        own.push({ itemId: productId, at, relevant });
      met.set(event.customerId, own);
    }
    const customers = [...met].map(([customerId, interactions]) => ({ customerId, interactions }));
    this.learn(met.keys());
    return { customers, ...statement(digest) };
  }

  /** Views of each customer, apart where half an hour passed without one. */
  async sessions(): Promise<{ sessions: Session[] } & DataStatement> {
    const digest = this.digest();
    const views = new Map<string, { itemId: string; at: number }[]>();
    for await (const event of this.history.ofTypes(
      this.tenantId,
      ['product_view'],
      await this.reading(digest),
    )) {
      if (event.customerId === undefined) continue;
      const own = views.get(event.customerId) ?? [];
      for (const { productId, at } of interactionsOf(event)) own.push({ itemId: productId, at });
      views.set(event.customerId, own);
    }
    this.learn(views.keys());
    const sessions = [...views.values()].flatMap((own) => splitBySilence(own, SILENCE_MS));
    return { sessions, ...statement(digest) };
  }

  /** Sales by product and day; of the company's own events, and of customers who may be learnt from. */
  async demand(): Promise<{ observations: DemandObservation[] } & DataStatement> {
    const digest = this.digest();
    const ledger = new DemandLedger();
    for await (const event of this.history.ofTypes(
      this.tenantId,
      DEMAND_EVENT_TYPES,
      await this.reading(digest),
    )) {
      ledger.add(event);
      if (event.customerId !== undefined) this.learnt.add(event.customerId);
    }
    return { observations: ledger.observations(), ...statement(digest) };
  }

  /** Purchase days of each customer up to the end of the history, and the currency of most orders. */
  async purchases(): Promise<PurchaseData> {
    const digest = this.digest();
    const byCustomer = new Map<string, PurchaseDay[]>();
    const orders = new Map<string, number>();
    const end = await this.endOfHistory();
    for await (const event of this.history.ofTypes(this.tenantId, ['order'], await this.reading(digest))) {
      if (event.customerId === undefined) continue;
      const own = byCustomer.get(event.customerId) ?? [];
      own.push({ day: purchaseDayOf(event.at.getTime()), value: orderValueOf(event) });
      byCustomer.set(event.customerId, own);
      const currency = textOf(event.properties['currency']) ?? '';
      orders.set(currency, (orders.get(currency) ?? 0) + 1);
    }
    const currencies = [...orders].sort(([, a], [, b]) => b - a).map(([currency]) => currency);
    this.learn(byCustomer.keys());
    return {
      customers: [...byCustomer.values()],
      // The end may be midnight, and nothing of that day is known then.
      until: purchaseDayOf(end.getTime() - 1),
      currencies,
      ...statement(digest),
    };
  }

  /** @param horizonDays  how long a lead may take to be won */
  async leads(horizonDays: number): Promise<{ examples: ScoreExample[] } & DataStatement> {
    const digest = this.digest();
    const examples: ScoreExample[] = [];
    for await (const { events } of this.history.customers(this.tenantId, await this.reading(digest))) {
      examples.push(...this.timed(leadExamples(events, { horizonDays, now: this.until })));
    }
    this.learn(examples.map(({ customerId }) => customerId));
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
    const digest = this.digest();
    const sample = new CustomerSample<AssignmentExample>(MAX_ASSIGNMENTS, seed);
    const until = await this.endOfHistory();
    const { protectedTraits = [] } = this.scope;
    const customers = this.history.customers(this.tenantId, await this.reading(digest));
    for await (const { customerId, events } of customers) {
      if (!sample.takes(customerId)) continue;
      const examples = assignmentExamples(events, { horizonDays, until });
      sample.add(
        customerId,
        examples.map((example) => ({
          ...example,
          features: withoutProtected(example.features, protectedTraits).features,
        })),
      );
    }
    const examples = sample.rows();
    this.learn(examples.map(({ customerId }) => customerId));
    return { examples, notes: notesOf(sample), ...statement(digest) };
  }

  /** Snapshots at past instants, of all customers or of a seeded sample of them. */
  async behaviour(
    task: BehaviourTask,
    { horizonDays, snapshots, seed }: BehaviourOptions,
  ): Promise<{ examples: ScoreExample[]; notes: string[] } & DataStatement> {
    const digest = this.digest();
    const sample = new CustomerSample<ScoreExample>(MAX_SNAPSHOTS, seed);
    const until = await this.endOfHistory();
    const customers = this.history.customers(this.tenantId, await this.reading(digest));
    for await (const { customerId, events } of customers) {
      if (!sample.takes(customerId)) continue;
      const phase = drawOf(`phase:${customerId}`, seed);
      sample.add(
        customerId,
        this.timed(behaviourExamples(task, events, { horizonDays, until, snapshots, phase })),
      );
    }
    const examples = sample.rows();
    this.learn(examples.map(({ customerId }) => customerId));
    return { examples, notes: notesOf(sample), ...statement(digest) };
  }

  /** Hashes what is read; which traits are left out is part of what was learnt from. */
  private digest(): EventDigest {
    const { protectedTraits = [] } = this.scope;
    return new EventDigest(protectedTraits.length === 0 ? '' : JSON.stringify(protectedTraits.toSorted()));
  }

  private async reading(digest: EventDigest): Promise<HistoryOptions> {
    const { from, consentAsOf = new Date() } = this.scope;
    this.consent ??= this.consents.read(this.tenantId, consentAsOf);
    const { allows } = await this.consent;
    const includes = (customerId: string): boolean => {
      if (allows(customerId)) return true;
      this.refused.add(customerId);
      return false;
    };
    return { until: this.until, digest, includes, ...(from && { from }) };
  }

  private async endOfHistory(): Promise<Date> {
    return (await this.history.endOfCustomers(this.tenantId, { until: this.until })) ?? this.until;
  }

  private learn(customerIds: Iterable<string>): void {
    for (const customerId of customerIds) this.learnt.add(customerId);
  }

  private timed(examples: readonly (LeadExample | BehaviourExample)[]): ScoreExample[] {
    const { protectedTraits = [] } = this.scope;
    return examples.map((example) => ({
      ...example,
      at: example.at.getTime(),
      ...withoutProtected(example.features, protectedTraits),
    }));
  }
}

function statement(digest: EventDigest): DataStatement {
  return { dataSha256: digest.sha256(), dataRows: digest.count };
}

function notesOf({ share }: { share: number }): string[] {
  return share === 1 ? [] : [`learnt from a seeded sample of one customer in ${1 / share}`];
}
