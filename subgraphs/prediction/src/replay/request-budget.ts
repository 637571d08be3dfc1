import { DomainError } from '@sextant/domain';
import type { RequestContext } from '@sextant/platform';

/** What the fields of one request may spend together, however many aliases a query has. */
export class RequestBudget {
  private readonly spent = new WeakMap<RequestContext, number>();

  constructor(
    private readonly most: number,
    /** what is counted, for the caller, e.g. `replays` */
    private readonly what: string,
  ) {}

  left(context: RequestContext): number {
    return this.most - (this.spent.get(context) ?? 0);
  }

  /** @throws DomainError BATCH_TOO_LARGE */
  spend(context: RequestContext, count: number): void {
    const spent = (this.spent.get(context) ?? 0) + count;
    if (spent > this.most) {
      const message = `one request may ask for ${this.most} ${this.what}; ask for the rest with another`;
      throw new DomainError('BATCH_TOO_LARGE', message);
    }
    this.spent.set(context, spent);
  }
}
