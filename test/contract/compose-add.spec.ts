import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './graph-processes.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sextant-compose-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@tag", "@requiresScopes", "@shareable", "@external", "@requires", "@override", "@inaccessible"])
`;
const RULE = '@requiresScopes(scopes: [["catalogue:read"]])';
const product = (fields: string, directives = '') =>
  `${LINK} type Product @key(fields: "id") ${directives} { id: ID! ${fields} }`;
const STOCK = `"Units." partnerStock: Int ${RULE}`;

function add(sdl: string, ...args: string[]) {
  const file = join(folder, 'partner.graphql');
  writeFileSync(file, sdl);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'tools/compose.mjs'), '--add', file, '--out', '-', ...args],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  return { status, stdout, stderr };
}

describe('npm run compose -- --add', () => {
  it('composes a subgraph of somebody else under its name and address, and leaves the committed file alone', () => {
    const committed = readFileSync(join(ROOT, 'gateway/supergraph.graphql'), 'utf8');
    const { status, stdout } = add(
      product(STOCK),
      '--name',
      'stock',
      '--url',
      'https://stock.example/graphql',
    );
    expect(status).toBe(0);
    expect(stdout).toContain('@join__graph(name: "stock", url: "https://stock.example/graphql")');
    expect(stdout).toContain('partnerStock: Int @join__field(graph: STOCK)');
    expect(readFileSync(join(ROOT, 'gateway/supergraph.graphql'), 'utf8')).toBe(committed);
  });

  it('lets it bring types of its own, share ours as they are, and be sent what partners may see', () => {
    const sdl = product(
      `listPrice: Money @external
       "Of our own shop." partnerOffer: PartnerOffer ${RULE} @requires(fields: "listPrice { amount }") @tag(name: "partner")`,
    );
    const types = `type PartnerOffer { price: Money } type Money @shareable { amount: String! currency: String! }`;
    expect(add(sdl + types)).toMatchObject({ status: 0 });
  });

  it.each([
    [
      'a field that could take the product with it',
      product(`"Units." partnerStock: Int! ${RULE}`),
      'nullable',
    ],
    ['a field that anybody could see', product('"Units." partnerStock: Int'), 'who may see it'],
    ['a field that nobody explains', product(`partnerStock: Int ${RULE}`), 'description'],
    ['a field of ours', product(`"Ours." title: String @shareable ${RULE}`), 'ours already'],
    [
      'to be sent what partners do not know',
      product(`cost: Money @external "Margin." margin: Float ${RULE} @requires(fields: "cost { amount }")`) +
        ' type Money @shareable { amount: String! currency: String! }',
      'not open to partners',
    ],
    [
      'to take a field over',
      product(`"Ours." title: String ${RULE} @override(from: "campaign")`),
      '@override',
    ],
    ['to hide a type', product(STOCK, '@inaccessible'), '@inaccessible'],
    ['to open all of a type', product(STOCK, '@tag(name: "partner")'), 'tags every field'],
    ['a rule for all of a type', product(STOCK, RULE), 'every field of it'],
    ['another key', `${LINK} type Product @key(fields: "sku") { sku: String ${STOCK} }`, 'key of Product'],
    ['a field of Query', `${product(STOCK)} type Query { stock: Int ${RULE} }`, 'no fields of Query'],
    [
      'a field of Mutation',
      `${product(STOCK)} type Mutation { stock: Int ${RULE} }`,
      'no fields of Mutation',
    ],
    ['a person', `${product(STOCK)} type Customer @key(fields: "id") { id: ID! }`, 'Customer is ours'],
    [
      'to narrow an input of ours',
      `${product(STOCK)} input ProductFilter { category: String }`,
      'ProductFilter is ours',
    ],
    ['to widen a shared type', `${product(STOCK)} type Money @shareable { vat: String }`, 'no field vat'],
    [
      'an interface of ours',
      `${product(STOCK)} type Mine implements Decision { decisionId: ID! }`,
      'cannot implement',
    ],
    [
      'a scope that there is not',
      product('"Units." partnerStock: Int @requiresScopes(scopes: [["stock:read"]])'),
      'nobody has the scope stock:read',
    ],
  ])('refuses %s, with the place', (_, sdl, why) => {
    const { status, stderr, stdout } = add(sdl);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(why);
    expect(stderr).toMatch(/partner\.graphql:\d+:\d+/);
  });

  it('says what does not compose or parse, and refuses unusable names and addresses', () => {
    const broken = add(product(`"Units." partnerStock: Unknown ${RULE}`));
    expect([broken.status, broken.stderr]).toEqual([1, expect.stringContaining('Unknown')]);
    expect(add('type Product {')).toMatchObject({ status: 1 });
    expect(add(product(STOCK), '--name', 'campaign')).toMatchObject({ status: 2 });
    expect(add(product(STOCK), '--name', 'Stock!')).toMatchObject({ status: 2 });
    expect(add(product(STOCK), '--url', 'stock.example')).toMatchObject({ status: 2 });
  });
});
