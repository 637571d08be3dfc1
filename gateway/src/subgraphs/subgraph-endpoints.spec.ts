import { loadConfig } from '@sextant/platform';
import { describe, expect, it } from 'vitest';
import { gatewayConfig } from '../gateway.config.js';
import { identityFor, subgraphEndpoints } from './subgraph-endpoints.js';

const COMPANY_SECRET = 'a secret of thirty-two characters';
const PARTNER_SECRET = 'another secret of the partner alone';
const settings = (env: Record<string, string>) =>
  loadConfig(gatewayConfig, {
    SUPERGRAPH_PATH: 'x',
    SEXTANT_JWKS: 'y',
    SEXTANT_SIGNING_SECRET: COMPANY_SECRET,
    ...env,
  });
const site = (name: string, url = `http://${name}.invalid/graphql`) => ({
  name,
  graph: name.toUpperCase(),
  url,
});

describe('subgraphEndpoints', () => {
  it('takes the company’s own three from their settings, with the company’s secret', () => {
    const endpoints = subgraphEndpoints([site('customer')], settings({ CUSTOMER_URL: 'http://c:1/graphql' }));
    expect(endpoints.get('customer')).toEqual({
      url: new URL('http://c:1/graphql'),
      secret: COMPANY_SECRET,
      isForeign: false,
    });
  });

  it('takes others from the supergraph or from SUBGRAPH_URLS, with a secret of their own', () => {
    const composed = site('stock', 'https://stock.example/graphql');
    const env = { SUBGRAPH_SECRETS: `stock=${PARTNER_SECRET}` };
    expect(subgraphEndpoints([composed], settings(env)).get('stock')).toEqual({
      url: new URL('https://stock.example/graphql'),
      secret: PARTNER_SECRET,
      isForeign: true,
    });
    const moved = settings({ ...env, SUBGRAPH_URLS: 'stock=http://127.0.0.1:4201/graphql?a=b' });
    expect(subgraphEndpoints([composed], moved).get('stock')?.url.href).toBe(
      'http://127.0.0.1:4201/graphql?a=b',
    );
  });

  it('never signs for others with the company’s secret', () => {
    const stock = [site('stock', 'https://stock.example/graphql')];
    expect(() => subgraphEndpoints(stock, settings({}))).toThrow('SUBGRAPH_SECRETS=stock=');
    const same = settings({ SUBGRAPH_SECRETS: `stock=${COMPANY_SECRET}` });
    expect(() => subgraphEndpoints(stock, same)).toThrow('agree on another');
    const unsigned = subgraphEndpoints(stock, settings({}), { isOpen: true });
    expect(unsigned.get('stock')?.secret).toBeNull();
  });

  it('names a subgraph without an address', () => {
    const env = { SUBGRAPH_SECRETS: `stock=${PARTNER_SECRET}` };
    expect(() => subgraphEndpoints([site('stock')], settings(env))).toThrow('SUBGRAPH_URLS=stock=');
  });
});

describe('identityFor', () => {
  it('tells a partner what may be seen and not who looks', () => {
    const rights = { tenantId: 'demo', roles: ['web'], scopes: ['catalogue:read'] };
    const identity = { subject: 'anna', clientId: 'key:0123456789abcdef', ...rights };
    const endpoint = { url: new URL('https://x.example'), secret: PARTNER_SECRET };
    expect(identityFor({ ...endpoint, isForeign: true }, identity)).toEqual({
      subject: 'withheld',
      ...rights,
    });
    expect(identityFor({ ...endpoint, isForeign: false }, identity)).toEqual(identity);
  });
});

describe('SUBGRAPH_URLS and SUBGRAPH_SECRETS', () => {
  it.each([
    [{ SUBGRAPH_URLS: 'stock' }, 'name=value'],
    [{ SUBGRAPH_URLS: 'stock=ftp://x' }, 'Invalid URL'],
    [{ SUBGRAPH_SECRETS: 'stock=short' }, '32 characters'],
  ])('refuse %j', (env: Record<string, string>, why) => {
    expect(() => settings(env)).toThrow(why);
  });
});
