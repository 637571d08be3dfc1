import { readFileSync } from 'node:fs';
import { type Identity, type Role, ROLE_SCOPES } from '@sextant/domain';
import {
  buildSchema,
  getNamedType,
  type GraphQLField,
  type GraphQLObjectType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  parse,
  type OperationDefinitionNode,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { type GatewayContext, type OperationRequest, PreparedOperation } from '../pipeline/operation.js';
import { readSupergraph } from '../supergraph/supergraph.js';
import { accessGuard } from './access.guard.js';

const SDL = readFileSync(new URL('../../supergraph.graphql', import.meta.url), 'utf8');
const SUPERGRAPH = readSupergraph(SDL);
const SCHEMA = buildSchema(SDL, { assumeValidSDL: true });
const ROLES = Object.keys(ROLE_SCOPES) as Role[];

/** Roles that see commercial secrets, written down here a second time on purpose. */
const COMPANY: readonly Role[] = ['analyst', 'marketer', 'operator'];

/** What a field states, read from the text of the supergraph and not by the code under test. */
function isOpenTo(role: Role, coordinate: string): boolean {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const type = SCHEMA.getType(typeName);
  const text = isObjectType(type) || isInterfaceType(type) ? directivesOf(type.getFields()[fieldName]) : '';
  const [, scopes] = /@requiresScopes\(scopes: (\[\[.*?\]\])\)/.exec(text) ?? [];
  const mine: readonly string[] = ROLE_SCOPES[role];
  const hasScopes =
    scopes === undefined ||
    (JSON.parse(scopes) as string[][]).some((all) => all.every((scope) => mine.includes(scope)));
  return hasScopes && (!text.includes('commercial_secrets') || COMPANY.includes(role));
}

function directivesOf(field: GraphQLField<unknown, unknown> | undefined): string {
  const { start = 0, end = 0 } = field?.astNode?.loc ?? {};
  return SDL.slice(start, end);
}

/** A document that selects one field of a type, which need not be reachable: the guard reads types, not ways. */
function requestFor(type: GraphQLObjectType, fieldName: string, identity: Identity): OperationRequest {
  const rest = isLeafType(getNamedType(type.getFields()[fieldName]?.type)) ? '' : '{ __typename }';
  const root = { Mutation: 'mutation', Subscription: 'subscription' }[type.name] ?? 'query';
  const selection = `${fieldName} ${rest}`;
  const isRoot = ['Query', 'Mutation', 'Subscription'].includes(type.name);
  const text = isRoot
    ? `${root} { ${selection} }`
    : `{ ...F } fragment F on Query { __typename ...G } fragment G on ${type.name} { alias: ${selection} }`;
  const document = parse(text);
  const operation = document.definitions[0] as OperationDefinitionNode;
  return {
    prepared: new PreparedOperation({ text, document, operation, schema: SCHEMA, audience: 'company' }),
    variables: {},
    context: { identity } as GatewayContext,
    withheld: new Map(),
    rules: SUPERGRAPH.rules,
    supergraph: SUPERGRAPH,
  };
}

const FIELDS = Object.values(SCHEMA.getTypeMap())
  .filter(isObjectType)
  .flatMap((type) =>
    Object.keys(type.getFields()).map((name) => ({ type, name, coordinate: `${type.name}.${name}` })),
  )
  .filter(
    ({ type, name, coordinate }) =>
      SUPERGRAPH.rules.has(coordinate) ||
      /@(?:authenticated|requiresScopes|policy)\b/.test(directivesOf(type.getFields()[name])),
  );

describe.each(ROLES)('the guard and the role %s', (role) => {
  const identity: Identity = { subject: 's', tenantId: 't', roles: [role], scopes: ROLE_SCOPES[role] };
  const guard = accessGuard();

  it.each(FIELDS)('agree on $coordinate', async ({ type, name, coordinate }) => {
    const request = requestFor(type, name, identity);
    const refused = await guard.check(request);
    const isOpen = isOpenTo(role, coordinate);
    expect([...request.withheld.keys()]).toEqual(isOpen ? [] : [coordinate]);
    const isWhole = !isOpen && ['Mutation', 'Subscription'].includes(type.name);
    expect(refused?.map(({ extensions }) => extensions['code'])).toEqual(isWhole ? ['FORBIDDEN'] : undefined);
  });
});

describe('the supergraph', () => {
  it('protects what these tests are about', () => {
    expect(FIELDS.length).toBeGreaterThan(100);
    for (const coordinate of ['Product.cost', 'Customer.traits', 'Mutation.promoteModel', 'Query.auditLog'])
      expect(FIELDS.map((field) => field.coordinate)).toContain(coordinate);
  });
});
