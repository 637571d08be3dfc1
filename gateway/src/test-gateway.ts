import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { DomainError, type Identity } from '@sextant/domain';
import { loadConfig, verifyRequest } from '@sextant/platform';
import { type ExecutionResult, graphql, type GraphQLSchema, parse } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { startGateway } from './gateway.js';
import { gatewayConfig } from './gateway.config.js';

export const SECRET = 'a secret of thirty-two characters';
const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])';

/** A subgraph of a few fields that is real in what matters here: HTTP, signatures, federation. */
export interface TinySubgraph {
  url: string;
  requests: {
    identity: Identity;
    body: string;
    requestId: string | undefined;
    traceparent: string | undefined;
  }[];
  stop(): Promise<void>;
}

type Resolvers = Record<string, Record<string, unknown>>;

export const TYPE_DEFS = {
  customer: `${LINK}
    type Customer @key(fields: "id") {
      id: ID!
      name: String! @requiresScopes(scopes: [["profile:read"]])
    }
    input EventInput { id: ID! type: String! at: String! customerRef: ID properties: JSON }
    scalar JSON
    type Query {
      customer(id: ID!): Customer @requiresScopes(scopes: [["customer:read"]])
      whoami: String @requiresScopes(scopes: [["customer:read"]])
      slow: String @requiresScopes(scopes: [["customer:read"]])
      broken: String @requiresScopes(scopes: [["customer:read"]])
    }
    type Mutation { ingestEvents(events: [EventInput!]!): Int @requiresScopes(scopes: [["events:write"]]) }`,
  campaign: `${LINK}
    type Product @key(fields: "id") { id: ID! title: String cost: String @requiresScopes(scopes: [["campaign:read"]]) }
    type Query { product(id: ID!): Product @requiresScopes(scopes: [["catalogue:read"]]) }`,
  prediction: `${LINK}
    type Customer @key(fields: "id") { id: ID! score: Float @requiresScopes(scopes: [["lead:read"]]) friend: Customer friends: [Customer!]! }
    interface Decision { id: ID! note: String }
    type Quote implements Decision { id: ID! note: String @requiresScopes(scopes: [["price:read"]]) }
    type Query { decision: Decision @requiresScopes(scopes: [["decision:read"]]) }`,
};

export const RESOLVERS: Record<keyof typeof TYPE_DEFS, Resolvers> = {
  customer: {
    Customer: {
      __resolveReference: (reference: { id: string }) => reference,
      name: ({ id }: { id: string }) => `Customer ${id}`,
    },
    Query: {
      customer: (_: unknown, { id }: { id: string }) => (id === 'none' ? null : { id }),
      whoami: async (_: unknown, __: unknown, { identity }: { identity: Identity }) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return `${identity.subject}@${identity.tenantId}`;
      },
      slow: () => new Promise(() => undefined),
      broken: () => {
        throw new Error('password of the database: hunter2');
      },
    },
    Mutation: {
      ingestEvents: (_: unknown, { events }: { events: { id: string }[] }) =>
        events[0]?.id === 'hang' ? new Promise(() => undefined) : events.length,
    },
  },
  campaign: {
    Product: { __resolveReference: (reference: { id: string }) => reference },
    Query: {
      product: (_: unknown, { id }: { id: string }) => {
        if (id === 'none') throw new DomainError('PRODUCT_NOT_FOUND', 'no product none');
        return { id, title: `Product ${id}`, cost: '5.00' };
      },
    },
  },
  prediction: {
    Customer: {
      __resolveReference: (reference: { id: string }) => reference,
      score: () => 0.5,
      friend: () => ({ id: 'friend' }),
      friends: () => [{ id: 'one' }, { id: 'two' }],
    },
    Decision: { __resolveType: () => 'Quote' },
    Query: { decision: () => ({ id: '1', note: 'a note' }) },
  },
};

export async function aTinySubgraph(name: keyof typeof TYPE_DEFS): Promise<TinySubgraph> {
  const schema = buildSubgraphSchema([
    { typeDefs: parse(TYPE_DEFS[name]), resolvers: RESOLVERS[name] as never },
  ]);
  const requests: TinySubgraph['requests'] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const signed = { receiver: name, method: 'POST', path: '/graphql', body };
      const identity = verifyRequest(signed, request.headers, {
        secret: SECRET,
        nowMs: Date.now(),
        maxAgeMs: 5_000,
      });
      requests.push({
        identity,
        body: body.toString(),
        requestId: request.headers['x-request-id'] as string | undefined,
        traceparent: request.headers['traceparent'] as string | undefined,
      });
      void run(schema, body.toString(), identity).then((result) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result)),
      );
    });
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}/graphql`, requests, stop: () => stop(server) };
}

async function run(schema: GraphQLSchema, body: string, identity: Identity): Promise<ExecutionResult> {
  const { query, variables } = JSON.parse(body) as { query: string; variables?: Record<string, unknown> };
  const result = await graphql({
    schema,
    source: query,
    variableValues: variables ?? {},
    contextValue: { identity },
  });
  const errors = result.errors?.map((error) => ({
    ...error.toJSON(),
    extensions:
      error.originalError instanceof DomainError
        ? { code: error.originalError.code, secret: 'internal' }
        : {},
  }));
  return { ...result, ...(errors && { errors }) } as ExecutionResult;
}

/** A supergraph file of tiny subgraphs. */
export function composeTiny(typeDefs: Record<string, string> = TYPE_DEFS): string {
  const services = Object.entries(typeDefs).map(([name, sdl]) => ({
    name,
    url: 'http://unused.invalid',
    typeDefs: parse(sdl),
  }));
  const { supergraphSdl, errors } = composeServices(services);
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));
  return supergraphSdl;
}

/** A gateway on free ports over three tiny subgraphs, and tokens for it. */
export async function aGateway(env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sextant-gateway-'));
  const { publicJwk, token } = await anIssuer();
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [publicJwk] }));
  writeFileSync(join(folder, 'supergraph.graphql'), composeTiny());
  const [customer, campaign, prediction] = await Promise.all([
    aTinySubgraph('customer'),
    aTinySubgraph('campaign'),
    aTinySubgraph('prediction'),
  ]);
  const config = loadConfig(gatewayConfig, {
    ...{ PORT: '0', METRICS_PORT: '0', LOG_LEVEL: 'silent', SEXTANT_SIGNING_SECRET: SECRET },
    SEXTANT_AUDIT: 'off',
    ...{ SUPERGRAPH_PATH: join(folder, 'supergraph.graphql'), SEXTANT_JWKS: join(folder, 'jwks.json') },
    ...{ CUSTOMER_URL: customer.url, CAMPAIGN_URL: campaign.url, PREDICTION_URL: prediction.url },
    ...env,
  });
  const gateway = await startGateway(config);
  return {
    gateway,
    subgraphs: { customer, campaign, prediction },
    token,
    publicJwk,
    folder,
    async stop() {
      await gateway.close();
      await Promise.all([customer, campaign, prediction].map((subgraph) => subgraph.stop()));
      rmSync(folder, { recursive: true });
    },
  };
}

/** Keys, and tokens signed with them; `claims` overrides what a token says. */
export async function anIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const scope = 'customer:read profile:read catalogue:read lead:read events:write';
  return {
    publicJwk: { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' },
    token: (claims: Record<string, unknown> = {}, expires = '5m') =>
      new SignJWT({ sub: 'user-1', tenant: 'demo', roles: ['analyst'], scope, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer(String(claims['iss'] ?? 'sextant-local'))
        .setAudience(String(claims['aud'] ?? 'sextant'))
        .setExpirationTime(expires)
        .sign(privateKey),
  };
}

/** What a GraphQL endpoint answers. */
export interface Answer {
  status: number;
  headers: Headers;
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

export async function ask(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, headers: response.headers, ...((await response.json()) as object) };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
