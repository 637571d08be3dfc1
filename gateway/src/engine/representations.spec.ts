import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { possibleTypesOf } from './api-schema.js';
import type { Requirement } from './query-plan.js';
import { compileRequirements } from './representations.js';
import { anEngine, ask, TestTransport } from './test-graph.js';
import { TypeConditions } from './type-conditions.js';

const SDL = `interface Item { id: ID! }
  type Product implements Item { id: ID! maker: Maker }
  type Maker { name: ID! }`;

/** Remembers which types requirements were compiled for. */
class CountedConditions extends TypeConditions {
  readonly asked = new Map<string, number>();

  override isA(typename: string, condition: string): boolean {
    this.asked.set(typename, (this.asked.get(typename) ?? 0) + 1);
    return super.isA(typename, condition);
  }
}

const field = (name: string, selections: Requirement[] | null = null): Requirement => ({
  kind: 'Field',
  name,
  selections,
});
const on = (typeCondition: string, selections: Requirement[]): Requirement => ({
  kind: 'InlineFragment',
  typeCondition,
  selections,
});

describe('type names that only a subgraph knows', () => {
  const compiled = () => {
    const types = new CountedConditions(possibleTypesOf(parse(SDL)));
    const maker = field('maker', [field('name'), on('Maker', [field('secret')])]);
    const project = compileRequirements([field('id'), on('Item', [maker])], types);
    return { types, project };
  };

  it('name no entity, and nothing is compiled for them', () => {
    const { types, project } = compiled();
    for (let i = 0; i < 1_000; i += 1) expect(project({ __typename: `Made${i}`, id: '1' })).toBeNull();
    expect(types.asked.size).toBe(0);
    expect(project({ __typename: 'Product', id: '1' })).toEqual({ __typename: 'Product', id: '1' });
  });

  it('of objects within an entity share one list of fields, with those that tell no type', () => {
    const { types, project } = compiled();
    const ofMaker = (maker: object) => project({ __typename: 'Product', id: '1', maker });
    for (let i = 0; i < 1_000; i += 1) {
      const representation = ofMaker({ __typename: `Made${i}`, name: 'Ada', secret: 1 });
      expect(representation).toEqual({ __typename: 'Product', id: '1', maker: { name: 'Ada' } });
    }
    for (const __typename of [undefined, 7, {}])
      expect(ofMaker({ __typename, name: 'Ada' })).toMatchObject({ maker: { name: 'Ada' } });
    expect(ofMaker({ __typename: 'Maker', name: 'Ada', secret: 1 })).toMatchObject({
      maker: { name: 'Ada', secret: 1 },
    });
    expect([...types.asked]).toEqual([
      ['Product', 1],
      ['', 1],
      ['Maker', 1],
    ]);
  });

  it('leave no value for a client, and those of the schema are answered as before', async () => {
    const transport = new TestTransport();
    const engine = anEngine(transport);
    const answered = (__typename: string) => {
      transport.answers.set('people', { data: { found: [{ __typename, label: 'one' }] } });
      return ask(engine, '{ found { label } }');
    };
    for (const typename of ['Account', 'Made1', 'Account', 'Made2', 'Customer']) {
      const { data, errors } = await answered(typename);
      if (!typename.startsWith('Made'))
        expect([data, errors]).toEqual([{ found: [{ label: 'one' }] }, undefined]);
      else expect([data, errors?.map(({ path }) => path)]).toEqual([null, [['found', 0]]]);
    }
  });
});
