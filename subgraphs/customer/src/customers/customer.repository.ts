import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { CustomerState, Scalar } from '@sextant/features';
import { type Collection, Db, type Filter } from 'mongodb';
import { DATABASE, duplicateRows } from '../store.js';
import { type Activity, activityOf, type Customer } from './customer.js';
import { activityFilter, type LifecycleStage } from './lifecycle.js';

/** Absent conditions are null; all others hold at once. */
export interface CustomerQuery {
  lifecycle: LifecycleStage | null;
  id: string | null;
  accountRef: string | null;
  /** id of the last customer of the page before */
  after: string | null;
  limit: number;
}

/** A customer who may be new: the id, the ref it follows from, and the earliest event at hand. */
export interface SeenCustomer {
  id: string;
  ref: string;
  at: Date;
}

interface CustomerDocument extends Activity {
  _id: string;
  tenantId: string;
  ref: string;
  firstSeenAt: Date;
  lastSeenAt: Date;
  traits: Readonly<Record<string, Scalar>>;
  accountRef: string | null;
  /** revision of the online state that the rest follows from */
  stateRevision: number;
}

@Injectable()
export class CustomerRepository implements OnModuleInit {
  private readonly customers: Collection<CustomerDocument>;

  constructor(@Inject(DATABASE) db: Db) {
    this.customers = db.collection<CustomerDocument>('customers');
  }

  async onModuleInit(): Promise<void> {
    await this.customers.createIndex({ tenantId: 1, _id: 1 }, { name: 'list_by_id' });
    await this.customers.createIndex(
      { tenantId: 1, accountRef: 1, _id: 1 },
      { name: 'members_of_account', partialFilterExpression: { accountRef: { $type: 'string' } } },
    );
  }

  /** Makes sure that each customer is known; those that are stay as they are. */
  async ensure(tenantId: string, seen: readonly SeenCustomer[]): Promise<void> {
    if (seen.length === 0) return;
    const ids = seen.map(({ id }) => id);
    const found = await this.customers
      .find({ tenantId, _id: { $in: ids } }, { projection: { _id: 1 } })
      .toArray();
    const known = new Set(found.map(({ _id }) => _id));
    const fresh = seen
      .filter(({ id }) => !known.has(id))
      .map(({ id, ref, at }) => ({ _id: id, tenantId, ref, firstSeenAt: at, lastSeenAt: at, ...UNFOLDED }));
    if (fresh.length === 0) return;
    await this.customers.insertMany(fresh, { ordered: false }).catch(duplicateRows); // another batch was first
  }

  /** Takes over what follows from the online states, unless a newer revision was taken over already. */
  async project(
    tenantId: string,
    states: readonly { state: CustomerState; revision: number }[],
  ): Promise<void> {
    if (states.length === 0) return;
    const operations = states.map(({ state, revision }) => ({
      updateOne: {
        filter: { tenantId, _id: state.customerId, stateRevision: { $lt: revision } },
        update: { $set: { ...projectionOf(state), stateRevision: revision } },
      },
    }));
    await this.customers.bulkWrite(operations, { ordered: false });
  }

  /** In the order of `ids`; null for unknown customers and those of other tenants. */
  async findByIds(tenantId: string, ids: readonly string[]): Promise<(Customer | null)[]> {
    const found = await this.customers.find({ tenantId, _id: { $in: [...ids] } }).toArray();
    const byId = new Map(found.map((document) => [document._id, customerOf(document)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** By id, one row more than `limit` when there is more. */
  async list(tenantId: string, query: CustomerQuery, now: Date): Promise<Customer[]> {
    const { lifecycle, id, accountRef, after, limit } = query;
    const idRange = { ...(id !== null && { $eq: id }), ...(after !== null && { $gt: after }) };
    const filter: Filter<CustomerDocument> = {
      tenantId,
      ...(Object.keys(idRange).length > 0 && { _id: idRange }),
      ...(accountRef !== null && { accountRef }),
      ...(lifecycle !== null && activityFilter(lifecycle, now)),
    };
    const found = await this.customers
      .find(filter)
      .sort({ _id: 1 })
      .limit(limit + 1)
      .toArray();
    return found.map(customerOf);
  }

  async hasMembers(tenantId: string, accountRef: string): Promise<boolean> {
    return (await this.customers.findOne({ tenantId, accountRef }, { projection: { _id: 1 } })) !== null;
  }
}

const UNFOLDED = {
  lastActiveAt: null,
  engagedAt: null,
  leadAt: null,
  traits: {},
  accountRef: null,
  stateRevision: 0,
} as const;

function projectionOf(state: CustomerState) {
  return {
    ...activityOf(state),
    ...(state.firstAt !== null && { firstSeenAt: new Date(state.firstAt) }),
    ...(state.lastAt !== null && { lastSeenAt: new Date(state.lastAt) }),
    traits: state.traits,
    accountRef: state.accountRef,
  };
}

function customerOf(document: CustomerDocument): Customer {
  const {
    _id: id,
    ref,
    firstSeenAt,
    lastSeenAt,
    lastActiveAt,
    engagedAt,
    leadAt,
    traits,
    accountRef,
  } = document;
  return {
    id,
    ref,
    firstSeenAt,
    lastSeenAt,
    activity: { lastActiveAt, engagedAt, leadAt },
    traits,
    accountRef,
  };
}
