import { Injectable } from '@nestjs/common';
import { CustomerRepository } from '../customers/customer.repository.js';
import { AccountRepository } from './account.repository.js';

@Injectable()
export class AccountService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly customers: CustomerRepository,
  ) {}

  /** True when an `account_update` or the profile of a customer named it. */
  async isKnown(tenantId: string, ref: string): Promise<boolean> {
    const [account] = await this.accounts.findByRefs(tenantId, [ref]);
    return account !== null || this.customers.hasMembers(tenantId, ref);
  }
}
