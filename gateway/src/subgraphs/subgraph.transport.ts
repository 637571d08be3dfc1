import type { SubgraphAnswer, SubgraphFetch, SubgraphTransport } from '../engine/engine.js';
import { SubgraphStream } from '../streams/subgraph-stream.js';
import { asGraphQLError } from './subgraph-answer.js';
import { SubgraphClient, type SubgraphClientOptions, unknownSubgraph } from './subgraph.client.js';
import type { SubgraphEndpoint } from './subgraph-endpoints.js';

/** The clients of all subgraphs. They outlive a supergraph: the next one that names the same endpoint goes on with its connections. */
export class SubgraphClients {
  private readonly kept = new Map<string, { client: SubgraphClient; users: number }>();

  private readonly options: SubgraphClientOptions;

  constructor(options: Omit<SubgraphClientOptions, 'writes'>) {
    this.options = { ...options, writes: { count: 0 } };
  }

  acquire(name: string, endpoint: SubgraphEndpoint): { client: SubgraphClient; release(): void } {
    const key = JSON.stringify([name, endpoint.url.href, endpoint.secret, endpoint.isForeign]);
    const entry = this.kept.get(key) ?? {
      client: new SubgraphClient(name, endpoint, this.options),
      users: 0,
    };
    this.kept.set(key, entry);
    entry.users += 1;
    return {
      client: entry.client,
      release: () => {
        entry.users -= 1;
        if (entry.users > 0) return;
        this.kept.delete(key);
        void entry.client.close();
      },
    };
  }
}

/** Sends the fetches of one supergraph's plans to its subgraphs. */
export class HttpSubgraphTransport implements SubgraphTransport {
  private readonly clients;

  /** @param endpoints  by name of the subgraph */
  constructor(
    private readonly endpoints: ReadonlyMap<string, SubgraphEndpoint>,
    clients: SubgraphClients,
  ) {
    this.clients = new Map([...endpoints].map(([name, endpoint]) => [name, clients.acquire(name, endpoint)]));
  }

  async execute(subgraph: string, fetch: SubgraphFetch): Promise<SubgraphAnswer> {
    const entry = this.clients.get(subgraph);
    return entry ? entry.client.execute(fetch) : { errors: [asGraphQLError(unknownSubgraph(subgraph))] };
  }

  async *subscribe(subgraph: string, fetch: SubgraphFetch): AsyncIterable<SubgraphAnswer> {
    const endpoint = this.endpoints.get(subgraph);
    if (endpoint) yield* new SubgraphStream(subgraph, endpoint, fetch).answers();
    else yield { errors: [asGraphQLError(unknownSubgraph(subgraph))] };
  }

  /** Nothing may be in flight any more: connections that no other transport uses end at once. */
  close(): void {
    for (const { release } of this.clients.values()) release();
  }
}
