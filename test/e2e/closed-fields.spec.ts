import { SCOPES } from '@sextant/domain';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { type ClosedField, closedFields } from '../contract/supergraph-rules.js';
import { ask, askOk, type GraphAnswer, until } from '../support/graph.js';
import { issueToken } from '../support/running-sextant.js';

const { access, dataDir } = inject('sextant');
const { graphql, tokens } = access;

interface Known {
  customer: string;
  member: string;
  product: string;
  segment: string;
  decision: string;
}

/** Ways to an object of each type that has closed fields; `%` is what is selected of it. */
const waysOf = ({
  customer,
  member,
  product,
  segment,
  decision,
}: Known): Readonly<Record<string, string[]>> => ({
  Account: [`{ customersByIds(ids: ["${member}"]) { account { % } } }`],
  Campaign: ['{ campaigns(first: 1) { nodes { % } } }'],
  Customer: [
    `{ customersByIds(ids: ["${customer}"]) { % } }`,
    `{ segment(id: "${segment}") { preview(first: 1) { % } } }`,
  ],
  DecisionRecord: [`{ decision(id: "${decision}") { % } }`],
  Model: ['{ model(id: "lead") { % } }'],
  ModelVersion: [
    '{ model(id: "lead") { live { % } } }',
    `{ scoreLeads(customerIds: ["${customer}"], budgetMs: 4000) { model { % } } }`,
  ],
  PriceQuote: [`{ priceQuotes(productIds: ["${product}"], budgetMs: 4000) { % } }`],
  Product: [
    '{ products(first: 1) { nodes { % } } }',
    `{ priceQuotes(productIds: ["${product}"], budgetMs: 4000) { product { % } } }`,
  ],
  Segment: [
    `{ segment(id: "${segment}") { % } }`,
    `{ customersByIds(ids: ["${customer}"]) { segments { segment { % } } } }`,
  ],
});

/** Fields whose objects are met through the same scope only, so that without it there is no object to see the field of. */
const BEHIND_THEIR_OWN_SCOPE = [
  ...['Account.members', 'Account.name'].map((field) => `${field} without customer:read`),
  ...['budget', 'channel', 'createdAt', 'name', 'objective', 'startAt', 'state'].map(
    (field) => `Campaign.${field} without campaign:read`,
  ),
  ...['account', 'consentVersion', 'lifecycle', 'ref'].map(
    (field) => `Customer.${field} without customer:read`,
  ),
  ...['replay', 'whatIf'].map((field) => `DecisionRecord.${field} without decision:read`),
  'Model.drift without model:read',
  ...['expectedMargin', 'expectedUnits'].map((field) => `PriceQuote.${field} without price:read`),
  ...[
    'definition',
    'kind',
    'measuredAt',
    'name',
    'preview',
    'profile',
    'size',
    'sizeHistory',
    'stability',
  ].map((field) => `Segment.${field} without segment:read`),
];

/** The first object of an answer that says that it is of the type. */
function objectIn(data: unknown, typeName: string): Record<string, unknown> | null {
  if (typeof data !== 'object' || data === null) return null;
  const own = data as Record<string, unknown>;
  if (own['proof'] === typeName) return own;
  for (const value of Object.values(own)) {
    const found = objectIn(value, typeName);
    if (found) return found;
  }
  return null;
}

/** Each right that a field needs, taken away alone: what is left is every scope but one, or every scope and no role of the policy. */
function withoutEach({ rules }: ClosedField): { taken: string; token: Promise<string> }[] {
  const scopes = rules.filter(({ kind }) => kind === 'requiresScopes').flatMap(({ anyOf }) => anyOf.flat());
  const policies = rules.filter(({ kind }) => kind === 'policy').flatMap(({ anyOf }) => anyOf.flat());
  const all = SCOPES.join(' ');
  return [
    ...scopes.map((taken) => {
      const scope = SCOPES.filter((one) => one !== taken).join(' ');
      return { taken, token: issueToken(dataDir, { tenant: 'demo', role: 'operator', scope }) };
    }),
    ...policies.map((taken) => ({
      taken,
      token: issueToken(dataDir, { tenant: 'demo', role: 'web', scope: all }),
    })),
  ];
}

/** What would leave a field unseen for another reason than a missing right. */
const faultsIn = ({ errors }: GraphAnswer<unknown>) =>
  errors
    .map(({ extensions }) => extensions?.code ?? 'none')
    .filter((code) => /VALIDATION|PARSE|EXPENSIVE|LIMIT|INTERNAL|SUBGRAPH|none/.test(code));

const CAMPAIGN = `mutation { createCampaign(input: { name: "Closed fields", objective: CONVERSION, channel: EMAIL,
  idempotencyKey: "closed-fields" }) { campaign { id } userErrors { code } } }`;

const refusalsIn = ({ errors }: GraphAnswer<unknown>) =>
  errors.filter(({ extensions }) => extensions?.code === 'FORBIDDEN').map(({ path }) => path?.at(-1));

let ways: Readonly<Record<string, string[]>>;
beforeAll(async () => {
  const { customers, products, segments } = await askOk<{
    customers: { nodes: { id: string; account: { id: string } | null }[] };
    products: { nodes: { id: string }[] };
    segments: { id: string }[];
  }>(
    graphql,
    tokens.operator,
    '{ customers(first: 100) { nodes { id account { id } } } products(first: 1) { nodes { id } } segments { id } }',
  );
  await askOk(graphql, tokens.operator, CAMPAIGN);
  const [customer, member] = [customers.nodes[0], customers.nodes.find(({ account }) => account)];
  const score = '{ scoreLeads(customerIds: ["%"], budgetMs: 4000) { decisionId } }'.replace(
    '%',
    customer?.id ?? '',
  );
  const { scoreLeads } = await askOk<{ scoreLeads: { decisionId: string }[] }>(
    graphql,
    tokens.operator,
    score,
  );
  const decision = scoreLeads[0]?.decisionId ?? '';
  await until('the decision to be logged', 10_000, async () => {
    const { data } = await ask<{ decision: object | null }>(
      graphql,
      tokens.operator,
      `{ decision(id: "${decision}") { id } }`,
    );
    return data?.decision;
  });
  ways = waysOf({
    customer: customer?.id ?? '',
    member: member?.id ?? '',
    product: products.nodes[0]?.id ?? '',
    segment: segments[0]?.id ?? '',
    decision,
  });
});

describe('a closed field of an object that is there', () => {
  it('is null with FORBIDDEN at its path without each right that it needs, and the object stays', async () => {
    const unseen = new Set<string>();
    let checked = 0;
    for (const field of closedFields()) {
      const coordinate = `${field.typeName}.${field.name}`;
      for (const { taken, token } of withoutEach(field)) {
        let isSeen = false;
        for (const way of ways[field.typeName] ?? []) {
          const query = way.replace('%', `proof: __typename ${field.text}`);
          const answer = await ask(graphql, await token, query);
          expect([query, faultsIn(answer)]).toEqual([query, []]);
          const object = objectIn(answer.data, field.typeName);
          if (!object) continue;
          isSeen = true;
          checked += 1;
          expect([coordinate, taken, object]).toEqual([
            coordinate,
            taken,
            { proof: field.typeName, [field.name]: null },
          ]);
          expect([coordinate, taken, new Set(refusalsIn(answer))]).toEqual([
            coordinate,
            taken,
            new Set([field.name]),
          ]);
        }
        if (!isSeen) unseen.add(`${coordinate} without ${taken}`);
      }
    }
    expect([...unseen].toSorted()).toEqual(BEHIND_THEIR_OWN_SCOPE);
    expect(checked).toBeGreaterThan(30);
  });

  it('is answered to who has all of them', async () => {
    for (const field of closedFields()) {
      const coordinate = `${field.typeName}.${field.name}`;
      const [way = ''] = ways[field.typeName] ?? [];
      const answer = await ask(graphql, tokens.operator, way.replace('%', `proof: __typename ${field.text}`));
      expect([coordinate, objectIn(answer.data, field.typeName)?.['proof']]).toEqual([
        coordinate,
        field.typeName,
      ]);
      expect([coordinate, refusalsIn(answer)]).toEqual([coordinate, []]);
    }
  });
});
