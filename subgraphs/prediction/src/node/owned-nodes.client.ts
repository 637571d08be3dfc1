import type { Scope } from '@sextant/domain';
import { type RequestContext, RequestLoaders } from '@sextant/platform';
import { z } from 'zod';
import type { NeighbourGraph } from '../neighbour-graph.client.js';

/** Who owns the types of `node` that are not ours, and what it takes to see one there. */
const OWNERS = {
  Customer: { subgraph: 'customer', scope: 'customer:read' },
  Account: { subgraph: 'customer', scope: 'customer:read' },
  Segment: { subgraph: 'customer', scope: 'segment:read' },
  Product: { subgraph: 'campaign', scope: 'catalogue:read' },
  Campaign: { subgraph: 'campaign', scope: 'campaign:read' },
} as const satisfies Record<string, { subgraph: 'customer' | 'campaign'; scope: Scope }>;
export type OwnedType = keyof typeof OWNERS;

interface OwnedKey {
  type: OwnedType;
  id: string;
}

const QUERY =
  'query NodesThatExist($representations: [_Any!]!) { _entities(representations: $representations) { __typename } }';
const answerSchema = z.object({
  data: z.object({ _entities: z.array(z.object({}).nullable()) }),
  errors: z.undefined().optional(),
});

/** Whether objects that other subgraphs own exist; those of one request are asked for together. */
export class OwnedNodes {
  private readonly known: RequestLoaders<OwnedKey, boolean>;

  constructor(private readonly owners: Readonly<Record<'customer' | 'campaign', NeighbourGraph>>) {
    this.known = new RequestLoaders(
      (tenantId, keys) => this.ask(tenantId, keys),
      ({ type, id }) => `${type} ${id}`,
    );
  }

  /** True also while its owner does not answer: then what is asked of the object says so, field by field. */
  isThere(context: RequestContext, type: OwnedType, id: string): Promise<boolean> {
    return this.known.load(context, { type, id });
  }

  private async ask(tenantId: string, keys: readonly OwnedKey[]): Promise<boolean[]> {
    const [customers, campaigns] = await Promise.all([
      this.askOne('customer', tenantId, keys),
      this.askOne('campaign', tenantId, keys),
    ]);
    return keys.map((key) => (OWNERS[key.type].subgraph === 'customer' ? customers : campaigns).has(key));
  }

  private async askOne(
    subgraph: 'customer' | 'campaign',
    tenantId: string,
    keys: readonly OwnedKey[],
  ): Promise<ReadonlySet<OwnedKey>> {
    const own = keys.filter(({ type }) => OWNERS[type].subgraph === subgraph);
    if (own.length === 0) return new Set();
    const scopes = [...new Set(own.map(({ type }) => OWNERS[type].scope))];
    const representations = own.map(({ type, id }) => ({ __typename: type, id }));
    try {
      const answer = await this.owners[subgraph].ask(
        { tenantId, scopes },
        { query: QUERY, variables: { representations } },
      );
      const found = answerSchema.parse(answer).data._entities;
      return new Set(own.filter((_, i) => found[i] !== null));
    } catch {
      return new Set(own);
    }
  }
}
