import { Injectable } from '@nestjs/common';
import { RequestLoaders } from '@sextant/platform';
import type { Account } from './account.js';
import { AccountRepository } from './account.repository.js';

/** Accounts of one request, in one read. */
@Injectable()
export class AccountLoader {
  readonly byRef: RequestLoaders<string, Account | null>;

  constructor(accounts: AccountRepository) {
    this.byRef = new RequestLoaders(
      (tenantId, refs) => accounts.findByRefs(tenantId, refs),
      (ref) => ref,
    );
  }
}
