import { DomainError } from '@sextant/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPrediction, type Prediction } from '../testing/prediction.fixture.js';

describe('Product.demandCurve', () => {
  let prediction: Prediction;
  beforeAll(async () => {
    prediction = await aPrediction();
  });
  afterAll(() => prediction.stop());

  it('draws a demand curve at the prices asked', async () => {
    const query = `{ _entities(representations: [{ __typename: "Product", id: "p1" }]) { ... on Product { demandCurve(prices: ["2.50", "4"], context: { feature: 1 }) { price medianUnits expectedUnits { value low high level } } } } }`;
    const { data } = await prediction.ask(query);
    expect(data._entities[0].demandCurve[0]).toMatchObject({
      price: '2.50',
      medianUnits: 40,
      expectedUnits: { low: 20, high: 80, level: 0.9 },
    });
    expect(data._entities[0].demandCurve[1].medianUnits).toBe(25);
  });

  it('refuses the one demand curve whose context the model does not take, and draws the others', async () => {
    const aliases = Array.from({ length: 5 }, (_, i) => {
      const context = i === 3 ? '{ feature: "odd" }' : '{ feature: 1 }';
      return `c${i}: demandCurve(prices: ["4"], context: ${context}) { medianUnits }`;
    });
    const isOdd = (request: unknown) => JSON.stringify(request).includes('"odd"');
    prediction.worker.judge = (request) =>
      isOdd(request) ? new DomainError('FEATURE_VECTOR_MISMATCH', 'feature must be a number') : null;
    try {
      const { data, errors } = await prediction.ask(
        `{ _entities(representations: [{ __typename: "Product", id: "p1" }]) { ... on Product { ${aliases.join(' ')} } } }`,
      );
      const drawn = [{ medianUnits: 25 }];
      expect(data._entities[0]).toEqual({ c0: drawn, c1: drawn, c2: drawn, c3: null, c4: drawn });
      expect(errors?.map(({ path, extensions }) => [path?.at(-1), extensions.code])).toEqual([
        ['c3', 'FEATURE_VECTOR_MISMATCH'],
      ]);
    } finally {
      prediction.worker.judge = () => null;
    }
  });
});
