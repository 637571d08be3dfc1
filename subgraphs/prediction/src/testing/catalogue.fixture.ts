import type { Identity } from '@sextant/domain';
import { type AskedEntities, SignedServer } from './signed-server.fixture.js';

interface Listed {
  listPrice: { amount: string; currency: string } | null;
  cost: { amount: string; currency: string } | null;
  stock: number | null;
  categories: string[];
}

/** Answers the catalogue query as the campaign subgraph does. */
export class FixtureCatalogue extends SignedServer<{ id: string }> {
  readonly products = new Map<string, Listed>();
  readonly callers: Identity[] = [];

  constructor(secret: string) {
    super('campaign', secret);
  }

  list(id: string, amount: string, cost: string | null = null, stock: number | null = 5): void {
    const currency = 'EUR';
    this.products.set(id, {
      listPrice: { amount, currency },
      cost: cost === null ? null : { amount: cost, currency },
      stock,
      categories: [],
    });
  }

  /** A listed product in one category. */
  file(id: string, category: string): void {
    this.list(id, '10.00');
    this.products.get(id)?.categories.push(category);
  }

  protected override entitiesOf({ identity, representations }: AskedEntities<{ id: string }>): object[] {
    this.callers.push(identity);
    const unlisted: Listed = { listPrice: null, cost: null, stock: null, categories: [] };
    return representations.map(({ id }) => ({ id, ...(this.products.get(id) ?? unlisted) }));
  }
}
