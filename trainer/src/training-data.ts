import {
  DEMAND_EVENT_TYPES,
  type DemandObservation,
  DemandLedger,
  EventDigest,
  EventHistory,
  type Interaction,
  interactionsOf,
  type LeadExample,
  leadExamples,
} from '@sextant/features';
import type { Db } from 'mongodb';

/** What one run learned from, so that the same rows and seed can be told to give the same file. */
export interface DataStatement {
  dataSha256: string;
  /** events read */
  dataRows: number;
}

export interface CustomerInteractions {
  customerId: string;
  /** oldest first */
  interactions: Interaction[];
}

const INTERACTION_TYPES = ['product_view', 'order', 'interaction'] as const;

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
    const customers: CustomerInteractions[] = [];
    for await (const event of this.history.ofTypes(this.tenantId, INTERACTION_TYPES, {
      until: this.now,
      digest,
    })) {
      if (event.customerId === undefined) continue;
      const last = customers.at(-1);
      if (last?.customerId === event.customerId) last.interactions.push(...interactionsOf(event));
      else customers.push({ customerId: event.customerId, interactions: interactionsOf(event) });
    }
    return { customers, ...statement(digest) };
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

  /** @param horizonDays  how long a lead may take to be won */
  async leads(horizonDays: number): Promise<{ examples: LeadExample[] } & DataStatement> {
    const digest = new EventDigest();
    const examples: LeadExample[] = [];
    for await (const { events } of this.history.customers(this.tenantId, { until: this.now, digest })) {
      examples.push(...leadExamples(events, { horizonDays, now: this.now }));
    }
    return { examples, ...statement(digest) };
  }
}

function statement(digest: EventDigest): DataStatement {
  return { dataSha256: digest.sha256(), dataRows: digest.count };
}
