import { Inject, Injectable } from '@nestjs/common';
import { compareEvents, type StoredEvent } from '@sextant/features';
import { DomainError } from '@sextant/domain';
import { type Collection, Db } from 'mongodb';
import { DATABASE, duplicateRows } from '../store.js';
import { type Account, accountRefOf, mergeAccount, type TimedValue } from './account.js';

interface AccountDocument {
  /** `tenantId:accountRef` */
  _id: string;
  tenantId: string;
  ref: string;
  revision: number;
  fields: Readonly<Record<string, TimedValue>>;
}

/** Rounds of compare-and-set before contention counts as an outage. */
const MAX_ROUNDS = 10;

@Injectable()
export class AccountRepository {
  private readonly accounts: Collection<AccountDocument>;

  constructor(@Inject(DATABASE) db: Db) {
    this.accounts = db.collection<AccountDocument>('accounts');
  }

  /** In the order of `refs`; null for unknown accounts and those of other tenants. */
  async findByRefs(tenantId: string, refs: readonly string[]): Promise<(Account | null)[]> {
    const found = await this.read(tenantId, refs);
    return refs.map((ref) => {
      const document = found.get(ref);
      return document ? { id: ref, fields: document.fields } : null;
    });
  }

  /** Merges `account_update` events; doing it twice changes nothing. */
  async apply(tenantId: string, events: readonly StoredEvent[]): Promise<void> {
    let byRef = Map.groupBy(events.toSorted(compareEvents), (event) => accountRefOf(event) ?? '');
    for (let round = 0; round < MAX_ROUNDS && byRef.size > 0; round++) {
      const lost = new Set(await this.applyOnce(tenantId, byRef));
      byRef = new Map([...byRef].filter(([ref]) => lost.has(ref)));
    }
    if (byRef.size > 0)
      throw new DomainError('STORE_UNAVAILABLE', 'too many writers of one account; send the same again');
  }

  /** @returns refs of accounts that changed meanwhile */
  private async applyOnce(tenantId: string, byRef: ReadonlyMap<string, StoredEvent[]>): Promise<string[]> {
    const refs = [...byRef.keys()];
    const current = await this.read(tenantId, refs);
    const operations = refs.map((ref) => {
      const { fields = {}, revision = 0 } = current.get(ref) ?? {};
      const merged = (byRef.get(ref) ?? []).reduce(mergeAccount, { id: ref, fields });
      return {
        replaceOne: {
          filter: { tenantId, _id: keyOf(tenantId, ref), revision },
          replacement: { tenantId, ref, revision: revision + 1, fields: merged.fields },
          upsert: true, // another revision makes this an insert of an existing _id, and so an error of its own row
        },
      };
    });
    try {
      await this.accounts.bulkWrite(operations, { ordered: false });
      return [];
    } catch (error) {
      return duplicateRows(error).map((row) => refs[row] ?? '');
    }
  }

  private async read(tenantId: string, refs: readonly string[]): Promise<Map<string, AccountDocument>> {
    const keys = refs.map((ref) => keyOf(tenantId, ref));
    const found = await this.accounts.find({ tenantId, _id: { $in: keys } }).toArray();
    return new Map(found.map((document) => [document.ref, document]));
  }
}

function keyOf(tenantId: string, ref: string): string {
  return `${tenantId}:${ref}`;
}
