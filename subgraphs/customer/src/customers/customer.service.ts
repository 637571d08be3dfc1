import { DomainError, type Page, pageOf } from '@sextant/domain';
import { Inject, Injectable } from '@nestjs/common';
import {
  customerIdOf,
  type CustomerState,
  featureVector,
  type FeatureVector,
  FOLD_VERSION,
  leadVector,
} from '@sextant/features';
import { type CustomerEvent, EventRepository } from '../ingestion/event.repository.js';
import { idAfter, limitOf, type PageArguments, timeAfter } from '../page.js';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';
import type { Customer } from './customer.js';
import { CustomerRepository } from './customer.repository.js';
import type { LifecycleStage } from './lifecycle.js';

const CUSTOMER_PAGE = { fallback: 20, max: 100 };
const EVENT_PAGE = { fallback: 50, max: 200 };

export interface CustomerFilter {
  lifecycle?: LifecycleStage | null;
  ref?: string | null;
  accountId?: string | null;
}

/** Features as the graph shows them. */
export interface FeatureVectorView {
  set: string;
  version: number;
  asOf: Date;
  values: FeatureVector;
}

@Injectable()
export class CustomerService {
  constructor(
    private readonly customers: CustomerRepository,
    private readonly events: EventRepository,
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
  ) {}

  async list(tenantId: string, filter: CustomerFilter, page: PageArguments): Promise<Page<Customer>> {
    const limit = limitOf(page, CUSTOMER_PAGE);
    const query = {
      lifecycle: filter.lifecycle ?? null,
      id: filter.ref == null ? null : customerIdOf(tenantId, filter.ref),
      accountRef: filter.accountId ?? null,
      after: idAfter(page),
      limit,
    };
    const rows = await this.customers.list(tenantId, query, this.surroundings.clock.now());
    return pageOf(rows, { limit, after: page.after, keyOf: ({ id }) => [id] });
  }

  async eventsOf(
    tenantId: string,
    customerId: string,
    query: PageArguments & { types: readonly string[] | null; since: Date | null },
  ): Promise<Page<CustomerEvent>> {
    const limit = limitOf(query, EVENT_PAGE);
    const { types, since } = query;
    const rows = await this.events.listOfCustomer(tenantId, customerId, {
      types,
      since,
      after: timeAfter(query),
      limit,
    });
    return pageOf(rows, { limit, after: query.after, keyOf: ({ at, id }) => [at.getTime(), id] });
  }

  /** @throws DomainError INVALID_INPUT for a set that there is not */
  featureVector(set: string, state: CustomerState | null): FeatureVectorView | null {
    const version = FOLD_VERSION;
    if (set === 'customer') {
      const asOf = this.surroundings.clock.now();
      return state && { set, version, asOf, values: featureVector(state, asOf) };
    }
    if (set !== 'lead')
      throw new DomainError('INVALID_INPUT', 'set must be customer or lead', { path: 'set' });
    const values = state && leadVector(state);
    return state?.lead && values ? { set, version, asOf: new Date(state.lead.at), values } : null;
  }

  now(): Date {
    return this.surroundings.clock.now();
  }
}
