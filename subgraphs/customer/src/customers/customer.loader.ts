import { Injectable } from '@nestjs/common';
import { type CustomerState, FeatureStore } from '@sextant/features';
import { RequestLoaders } from '@sextant/platform';
import type { Customer } from './customer.js';
import { CustomerRepository } from './customer.repository.js';

/** Customers and their online states, gathered within one request into one read each. */
@Injectable()
export class CustomerLoader {
  readonly byId: RequestLoaders<string, Customer | null>;
  readonly stateById: RequestLoaders<string, CustomerState | null>;

  constructor(customers: CustomerRepository, states: FeatureStore) {
    this.byId = new RequestLoaders(
      (tenantId, ids) => customers.findByIds(tenantId, ids),
      (id) => id,
    );
    this.stateById = new RequestLoaders(
      async (tenantId, ids) => {
        const found = await states.get(tenantId, ids);
        return ids.map((id) => found.get(id)?.state ?? null);
      },
      (id) => id,
    );
  }
}
