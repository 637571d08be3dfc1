import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, type Prediction, viewed } from '../testing/prediction.fixture.js';

const SIMILAR = (fields: string): string =>
  `query ($ids: [_Any!]!) { _entities(representations: $ids) { ... on Product { similar${fields} } } }`;
const of = (...ids: string[]) => ({ ids: ids.map((id) => ({ __typename: 'Product', id })) });
const ITEMS = '{ servedBy { rung } model { id } items { rank reason product { id } becauseOf { id } } }';

describe('Product.similar', () => {
  let prediction: Prediction;
  beforeAll(async () => {
    prediction = await aPrediction();
    await prediction.customers([
      [viewed('p1'), viewed('p2'), viewed('p3')],
      [viewed('p2'), viewed('p3')],
      [viewed('p3')],
      [viewed('p4')],
      [viewed('p4')],
    ]);
    for (const id of ['p1', 'p9']) prediction.catalogue.file(id, 'lamps');
    for (const id of ['p2', 'p3', 'p4']) prediction.catalogue.file(id, 'desks');
  });
  afterAll(() => prediction.stop());
  beforeEach(() => {
    prediction.worker.requests.length = 0;
  });

  it('asks the model once for all products, each as a history of its own that is not shown itself', async () => {
    const { data, errors } = await prediction.ask(SIMILAR(`(first: 2) ${ITEMS}`), of('p1', 'p5', 'p1'));
    expect(errors).toBeUndefined();
    expect(prediction.worker.requests).toMatchObject([
      {
        model: 'demo.recommend',
        rows: [
          { history: ['p1'], exclude: ['p1'], first: 2 },
          { history: ['p5'], exclude: ['p5'], first: 2 },
        ],
      },
    ]);
    const [first, second] = data._entities;
    expect(first.similar.servedBy.rung).toBe('MODEL');
    expect(first.similar.items).toEqual([
      { rank: 1, reason: 'Similar to p1', product: { id: 'p2' }, becauseOf: { id: 'p1' } },
      { rank: 2, reason: 'Similar to p1', product: { id: 'p3' }, becauseOf: { id: 'p1' } },
    ]);
    expect(second.similar.items[0].product.id).toBe('p1');
  });

  it('is a decision about the product, of no person', async () => {
    const { data } = await prediction.ask(SIMILAR('{ decisionId }'), of('p7'));
    const query = 'query ($id: ID!) { decision(id: $id) { kind subject output } }';
    const { decision } = (await prediction.ask(query, { id: data._entities[0].similar.decisionId })).data;
    expect(decision).toMatchObject({ kind: 'recommend', subject: 'p7', output: { slot: 'similar' } });
  });

  it('falls to what is popular, products of its categories first', async () => {
    prediction.worker.die();
    try {
      const { data, errors } = await prediction.ask(SIMILAR(`(first: 3) ${ITEMS}`), of('p3', 'p9', 'p30'));
      expect(errors).toBeUndefined();
      const slates = data._entities.map(
        ({ similar }: { similar: { items: { product: { id: string } }[] } }) =>
          similar.items.map(({ product }) => product.id),
      );
      expect(slates).toEqual([
        ['p2', 'p4', 'p1'],
        ['p1', 'p3', 'p2'],
        ['p3', 'p2', 'p4'],
      ]);
      expect(data._entities[0].similar).toMatchObject({
        servedBy: { rung: 'HEURISTIC' },
        model: { id: 'heuristic.popularity@1' },
        items: [{ reason: 'Popular at the moment' }, {}, {}],
      });
      prediction.catalogue.isDown = true;
      const alone = await prediction.ask(SIMILAR(`(first: 1) ${ITEMS}`), of('p20'));
      expect(alone.data._entities[0].similar.items[0].product.id).toBe('p3');
    } finally {
      prediction.catalogue.isDown = false;
      await prediction.worker.start();
    }
  });

  it('is checked like every slate', async () => {
    const tooMany = await prediction.ask(SIMILAR('(first: 101) { decisionId }'), of('p1'));
    expect(tooMany.errors?.[0]?.extensions.code).toBe('INVALID_INPUT');
    const nobody = await prediction.ask(SIMILAR('{ decisionId }'), of('p1'), anIdentity({ scopes: [] }));
    expect(nobody.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
