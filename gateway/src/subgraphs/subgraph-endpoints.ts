import { DomainError, type Identity } from '@sextant/domain';
import type { GatewayConfig } from '../gateway.config.js';
import type { SubgraphSite } from '../supergraph/supergraph.js';

/** Where a subgraph answers and how it knows that a request is ours. */
export interface SubgraphEndpoint {
  url: URL;
  /** of the signatures; null: requests are not signed, which the operator has to ask for */
  secret: string | null;
  /** A partner's: it has a secret of its own and is not told who asks. */
  isForeign: boolean;
}

type Settings = Pick<
  GatewayConfig,
  | 'CUSTOMER_URL'
  | 'CAMPAIGN_URL'
  | 'PREDICTION_URL'
  | 'SUBGRAPH_URLS'
  | 'SUBGRAPH_SECRETS'
  | 'SEXTANT_SIGNING_SECRET'
>;

/** Whether a subgraph of this name is the company's own, and not one that was added to the graph. */
export function isOwnSubgraph(name: string): boolean {
  return ['customer', 'campaign', 'prediction'].includes(name);
}

/**
 * The endpoints of all subgraphs of a supergraph. The company's secret goes to the company's own three only: with it, whoever runs
 * another one could sign requests to them.
 *
 * @param options.isOpen  a subgraph without a secret is called unsigned instead of being refused, and where it was composed
 * @throws DomainError CONFIG_INVALID that names the subgraph without an address or a secret, and the setting that it needs
 */
export function subgraphEndpoints(
  sites: readonly SubgraphSite[],
  settings: Settings,
  options: { isOpen?: boolean } = {},
): ReadonlyMap<string, SubgraphEndpoint> {
  const own = new Map([
    ['customer', settings.CUSTOMER_URL],
    ['campaign', settings.CAMPAIGN_URL],
    ['prediction', settings.PREDICTION_URL],
  ]);
  return new Map(
    sites.map(({ name, url }) => {
      const isForeign = !isOwnSubgraph(name);
      const composed = options.isOpen && !url.includes('.invalid') ? url : undefined;
      const address = settings.SUBGRAPH_URLS.get(name) ?? composed ?? own.get(name) ?? url;
      const ownSecret = isForeign ? null : settings.SEXTANT_SIGNING_SECRET;
      const secret = settings.SUBGRAPH_SECRETS.get(name) ?? ownSecret;
      if (isForeign && secret !== null && settings.SEXTANT_SIGNING_SECRET.split(',').includes(secret))
        throw invalid(
          `SUBGRAPH_SECRETS gives ${name} the secret of SEXTANT_SIGNING_SECRET; agree on another`,
        );
      if (secret === null && !options.isOpen)
        throw invalid(
          `the subgraph ${name} has no secret: set SUBGRAPH_SECRETS=${name}=<32 characters or more>`,
        );
      return [name, { url: parseAddress(name, address), secret, isForeign }];
    }),
  );
}

/** What a subgraph is told about who asks: a partner's learns tenant, roles and scopes, and not whose they are. */
export function identityFor(endpoint: SubgraphEndpoint, identity: Identity): Identity {
  if (!endpoint.isForeign) return identity;
  const { tenantId, roles, scopes } = identity;
  return { subject: 'withheld', tenantId, roles, scopes };
}

function parseAddress(name: string, address: string): URL {
  const url = URL.parse(address);
  if (url && /^https?:$/.test(url.protocol) && !url.hostname.endsWith('.invalid')) return url;
  throw invalid(
    `the subgraph ${name} has no address ("${address}" is none): set SUBGRAPH_URLS=${name}=https://…/graphql`,
  );
}

function invalid(message: string): DomainError {
  return new DomainError('CONFIG_INVALID', message);
}
