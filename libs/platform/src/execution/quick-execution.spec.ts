import {
  buildSchema,
  execute,
  type ExecutionResult,
  type GraphQLFieldResolver,
  isAbstractType,
  isObjectType,
  parse,
  responsePathAsArray,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { QuickExecution } from './quick-execution.js';

const schema = buildSchema(`
  scalar Odd
  enum Colour { RED GREEN }
  interface Named { name: String }
  type Cat implements Named { name: String lives: Int! }
  type Dog implements Named { name: String owner(deep: Boolean = true): Person }
  union Pet = Cat | Dog
  type Person {
    id: ID! name: String age: Int! score: Float colour: Colour odd: Odd
    must: Person! may: Person lazy: Person lazyMust: Person!
    friends: [Person] strict: [Person!] strictest: [Person!]! tags: [String!] numbers: [[Int]]
    pets: [Pet] named: Named echo(text: String!, n: Int = 7, list: [Int!]): String path: String late: Int lateMust: Int!
  }
  type Query { me: Person people(n: Int!): [Person!] nothing: Person must: Person! count: Int now: String! }
  type Mutation { change: Int }
`);

const late = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(() => resolve(value)));
const failing = (message: string): Promise<never> =>
  new Promise((_resolve, reject) => setImmediate(() => reject(new Error(message))));

const person = (n: number): Record<string, unknown> => ({
  ...{
    id: n,
    name: n % 3 ? `p${n}` : null,
    age: n,
    score: n / 3,
    colour: n % 2 ? 'RED' : 'GREEN',
    odd: { n },
  },
  ...{ tags: ['a', 'b', n], numbers: [[1, null], null, [n]], lateMust: () => late(n), late: late(n) },
  ...{ friends: n > 0 ? [person(n - 1), null, late(n > 1 ? person(n - 2) : null)] : [] },
  ...{ may: n > 0 ? () => person(n - 1) : null, lazy: () => late(n > 0 ? person(n - 1) : null) },
  ...{ strict: [], strictest: new Set(), must: () => person(Math.max(0, n - 1)) },
  pets: [{ __typename: 'Cat', name: 'Tom', lives: 9 }, late({ __typename: 'Dog', name: 'Rex' })],
  named: { __typename: 'Dog', name: 'Rex', owner: (args: object) => ({ id: JSON.stringify(args), age: 1 }) },
});

const root: Record<string, unknown> = { ...{ me: () => late(person(3)), count: 1, now: 'n', nothing: null } };
root['people'] = ({ n }: { n: number }) => Array.from({ length: n }, (_, i) => person(i % 4));
const resolvers: Record<string, GraphQLFieldResolver<unknown, unknown>> = {
  echo: (_source, args: object) => JSON.stringify(args),
  path: (_source, _args, context, info) =>
    [context, info.fieldName, info.parentType.name, ...responsePathAsArray(info.path)].join(),
};
const personType = schema.getType('Person');
for (const field of isObjectType(personType) ? Object.values(personType.getFields()) : []) {
  const resolve = resolvers[field.name];
  if (resolve) field.resolve = resolve;
}
const pet = schema.getType('Pet');
if (isAbstractType(pet)) pet.resolveType = (value: { __typename: string }) => late(value.__typename);

const quick = new QuickExecution(schema);

async function both(
  text: string,
  given: { rootValue?: unknown; variableValues?: Record<string, unknown>; operationName?: string } = {},
): Promise<[ExecutionResult, ExecutionResult]> {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const args = { schema, document, rootValue: root, contextValue: 'context', ...given };
  const plain = (result: ExecutionResult) => JSON.parse(JSON.stringify(result)) as ExecutionResult;
  return [plain(await quick.execute(args)), plain(await execute(args))];
}

describe('QuickExecution', () => {
  it.each([
    '{ me { id name age score colour odd tags numbers } count now nothing { id } }',
    '{ me { x: id y: name __typename t: __typename } __typename }',
    '{ me { friends { id friends { id } } strict { id } strictest { id } may { id may { may { may { id } } } } } }',
    '{ me { lazy { lazy { lazy { lazy { id } } } } late lateMust must { id lateMust } } }',
    '{ people(n: 9) { id score colour name may { name } } }',
    '{ me { pets { __typename ... on Cat { name lives } ... on Dog { name } } named { name ... on Dog { owner { id } } } } }',
    '{ me { ...A ...B friends { ...A } } } fragment A on Person { id ...B } fragment B on Person { name friends { name } }',
    '{ me { may { id } } me { may { name } ... { age } ... on Person { score } } }',
    'query($t: String!, $n: Int, $l: [Int!]) { me { echo(text: $t, n: $n, list: $l) e: echo(text: "x", list: [1]) path may { path } } }',
    'query($skip: Boolean = true) { me { id @skip(if: $skip) name @include(if: $skip) } }',
    '{ __schema { queryType { name } } __type(name: "Cat") { name } }',
    'mutation { change }',
  ])('answers %s as graphql-js does', async (text) => {
    const [own, theirs] = await both(text, { variableValues: { t: 'text', l: 3 } });
    expect(own).toEqual(theirs);
    expect(JSON.stringify(own)).toBe(JSON.stringify(theirs)); // members in the same order
  });

  it.each<[string, Record<string, unknown>]>([
    ['{ me { age may { age } } }', { me: { age: null } }],
    ['{ me { age may { age } } }', { me: { age: 1, may: { age: 'x' } } }],
    [
      '{ me { may { must { lateMust } } count: age } }',
      { me: { age: 2, may: { must: { lateMust: () => failing('a') } } } },
    ],
    ['{ must { age } count }', { must: { age: () => failing('b') }, count: 2 }],
    ['{ must { age } }', {}],
    [
      '{ me { strict { age } friends { age } } }',
      { me: { strict: [{ age: 1 }, { age: null }], friends: [{ age: null }, { age: 1 }] } },
    ],
    ['{ me { strictest { age } } count }', { me: { strictest: [{ age: 1 }, null] }, count: 1 }],
    ['{ me { friends { name } tags } }', { me: { friends: 'no list', tags: ['a', null] } }],
    [
      '{ me { colour score name odd } }',
      { me: { colour: 'BLUE', score: 'x', name: {}, odd: new Error('odd') } },
    ],
    [
      '{ me { name score } }',
      {
        me: {
          get name() {
            throw new Error('read');
          },
          score: () => {
            throw new Error('called');
          },
        },
      },
    ],
    ['{ people(n: 2) { age } }', { people: () => [late({ age: 1 }), failing('item')] }],
    [
      '{ me { friends { age } } }',
      { me: { friends: () => [failing('one'), late({ age: 4 }), failing('two')] } },
    ],
  ])('takes out of %s what graphql-js does', async (text, rootValue) => {
    const [own, theirs] = await both(text, { rootValue });
    expect(theirs.errors).toBeDefined();
    expect(own.data).toEqual(theirs.data);
    const places = ({ errors = [] }: ExecutionResult) =>
      errors.map(({ path, locations }) => [path, locations]);
    expect(places(own)).toEqual(places(theirs));
  });

  it('says nothing of places that are gone, and waits for what is open', async () => {
    const steps: string[] = [];
    const slow = async () => {
      await late(0);
      await late(0);
      steps.push('slow');
      throw new Error('too late to be told');
    };
    const rootValue = { me: { must: { lateMust: slow, age: () => failing('first') } } };
    const document = parse('{ me { must { age lateMust } } }');
    const result = await quick.execute({ document, rootValue });
    expect(result.data).toEqual({ me: null });
    expect(result.errors?.map(({ message }) => message)).toEqual(['first']);
    expect(steps).toEqual(['slow']);
  });

  it.each<[string, Record<string, unknown>, string | undefined]>([
    ['query($n: Int!) { people(n: $n) { id } }', {}, undefined],
    ['query($n: Int!) { people(n: $n) { id } }', { n: 'x' }, undefined],
    ['query A { count }', {}, 'B'],
    ['query A { count } query B { now }', {}, 'B'],
  ])('refuses and chooses as graphql-js does: %s', async (text, variableValues, operationName) => {
    const [own, theirs] = await both(text, { variableValues, ...(operationName && { operationName }) });
    expect(own).toEqual(theirs);
  });

  it('refuses a value that does not say which type it is', async () => {
    const named = { name: 'x' };
    const unknown = { ...named, __typename: 'Bird' };
    const [own, theirs] = await both('{ me { named { name } friends { named { name } } } }', {
      rootValue: {
        me: { named, friends: [{ named: unknown }, { named: { ...named, __typename: 'Person' } }] },
      },
    });
    expect(own.data).toEqual(theirs.data);
    expect(own.errors?.map(({ path }) => path)).toEqual(theirs.errors?.map(({ path }) => path));
  });

  it('gives each resolver arguments of its own, coerced once', async () => {
    const seen = new Set<unknown>();
    const owner = (args: { deep: boolean }) => seen.add(args) && { id: 1, age: 1 };
    const friends = [1, 2, 3].map(() => ({ named: { __typename: 'Dog', owner } }));
    const document = parse('{ me { friends { named { ... on Dog { owner { age } } } } } }');
    await quick.execute({ document, rootValue: { me: { friends } } });
    expect([...seen]).toEqual([{ deep: true }, { deep: true }, { deep: true }]);
  });
});
