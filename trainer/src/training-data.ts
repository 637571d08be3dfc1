import {
  DEMAND_EVENT_TYPES,
  type DemandObservation,
  DemandLedger,
  EventDigest,
  EventHistory,
  interactionsOf,
  type LeadExample,
  leadExamples,
} from '@sextant/features';
import type { CustomerInteractions } from '@sextant/learning';
import type { Db } from 'mongodb';

/** What one run learned from, so that the same rows and seed can be told to give the same file. */
export interface DataStatement {
  dataSha256: string;
  /** events read */
  dataRows: number;
}

const INTERACTION_TYPES = ['product_view', 'order', 'interaction'] as const;

/** A lead example with its time in milliseconds since 1970. */
export type TimedExample = Omit<LeadExample, 'at'> & { at: number };

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
  async leads(horizonDays: number): Promise<{ examples: TimedExample[] } & DataStatement> {
    const digest = new EventDigest();
    const examples: TimedExample[] = [];
    for await (const { events } of this.history.customers(this.tenantId, { until: this.now, digest })) {
      for (const example of leadExamples(events, { horizonDays, now: this.now })) {
        examples.push({ ...example, at: example.at.getTime() });
      }
    }
    return { examples, ...statement(digest) };
  }
}

function statement(digest: EventDigest): DataStatement {
  return { dataSha256: digest.sha256(), dataRows: digest.count };
}
