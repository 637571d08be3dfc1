import { type Role, ROLE_SCOPES, SCOPES } from '@sextant/domain';
import { signRequest } from '@sextant/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../support/graph.js';
import { identityOf, type RunningGraph, SECRET, startGraph } from './graph-processes.js';
import { opens, probes, rootFields, unreached } from './supergraph-rules.js';

const ROLES = Object.keys(ROLE_SCOPES) as Role[];
const PROBES = probes();

let graph: RunningGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph?.stop());

const codesOf = (errors: { extensions?: { code?: string } }[]) =>
  errors.map(({ extensions }) => extensions?.code);

describe('the rules of the supergraph', () => {
  it('cover every root field, and name only scopes that tokens can carry', () => {
    expect(rootFields().filter(({ rule }) => rule === null)).toEqual([]);
    const named = PROBES.flatMap(({ rules }) => rules.flat(2));
    expect(named.filter((scope) => !(SCOPES as readonly string[]).includes(scope))).toEqual([]);
  });

  it('stand on fields that can be reached from a root', () => {
    expect(unreached()).toEqual([]);
    expect(PROBES.length).toBeGreaterThan(30);
  });
});

describe('an anonymous caller', () => {
  it('gets no data of any protected field', async () => {
    for (const { coordinate, query } of PROBES) {
      const { status, data, errors } = await ask(graph.url, null, query);
      expect([coordinate, status, data, codesOf(errors)]).toEqual([
        coordinate,
        401,
        null,
        ['UNAUTHENTICATED'],
      ]);
    }
  });
});

describe.each(ROLES)('the role %s', (role) => {
  const allowed = PROBES.filter((probe) => opens(probe, ROLE_SCOPES[role]));
  const refused = PROBES.filter((probe) => !opens(probe, ROLE_SCOPES[role]));

  it(`is refused the fields that its scopes do not open`, async () => {
    const token = await graph.tokenOf(role);
    for (const { coordinate, query } of refused) {
      const { status, data, errors } = await ask(graph.url, token, query);
      expect([coordinate, status, data, codesOf(errors)]).toEqual([coordinate, 403, null, ['FORBIDDEN']]);
    }
    expect(refused.length > 0).toBe(role !== 'operator');
  });

  it('may ask for the rest, and no answer is a fault', async () => {
    const token = await graph.tokenOf(role);
    for (const { coordinate, query } of allowed) {
      const { errors } = await ask(graph.url, token, query);
      const bad = codesOf(errors).filter((code) =>
        /FORBIDDEN|UNAUTHENTICATED|INTERNAL|SUBGRAPH|VALIDATION|PARSE/.test(code ?? 'none'),
      );
      expect([coordinate, bad, query]).toEqual([coordinate, [], query]);
    }
    expect(allowed.length).toBeGreaterThan(0);
  });
});

describe('a subgraph behind a gateway that checks nothing', () => {
  it('refuses root fields without their scopes by itself', async () => {
    const nobody = { ...identityOf('operator'), scopes: [] };
    for (const { coordinate, query } of PROBES.filter(({ rules }) => rules.length === 1)) {
      const answers = await Promise.all(
        Object.values(graph.subgraphs).map((url) => askSigned(url, query, nobody)),
      );
      const owners = answers.filter(
        ({ errors }) => !errors.some(({ extensions }) => extensions?.code === 'GRAPHQL_VALIDATION_FAILED'),
      );
      expect(owners.length, coordinate).toBeGreaterThan(0);
      for (const { errors } of owners)
        expect([coordinate, codesOf(errors)]).toEqual([coordinate, ['FORBIDDEN']]);
    }
  });
});

async function askSigned(url: string, query: string, identity: ReturnType<typeof identityOf>) {
  const body = JSON.stringify({ query });
  const signature = signRequest({ method: 'POST', path: '/graphql', body }, identity, {
    secret: SECRET,
    nowMs: Date.now(),
  });
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...signature },
  });
  const { errors = [] } = (await response.json()) as { errors?: { extensions?: { code?: string } }[] };
  return { errors };
}
