import { describe, expect, it } from 'vitest';
import { weighHistory } from './history-weights.js';
import { reasonOfItem, reasonSentence } from './item-reason.js';

/** Item 2 is close to 0, a little to 1; the prior of item 3 outweighs all it has. */
const similarity = {
  itemCount: 4,
  matrix: Float32Array.of(0, 0, 0.5, 0.01, 0, 0, 0.2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.1, 0.1, 0.1, 0.3),
};
const title = (item: number): string => ['a lamp', 'a desk', 'a chair', 'a pen'][item] ?? '';

describe('reasonOfItem', () => {
  it('names what weighs most, strongest first', () => {
    const reason = reasonOfItem(similarity, weighHistory([1, 0], null), 2);
    expect(reason).toEqual({ kind: 'because-of', items: [0, 1] });
    expect(reasonSentence(reason, title)).toBe('because of a lamp and a desk');
  });

  it('is popularity where the prior outweighs the history, and for a cold customer', () => {
    for (const reason of [
      reasonOfItem(similarity, weighHistory([0], null), 3),
      reasonOfItem(similarity, weighHistory([], null), 2),
    ])
      expect(reasonSentence(reason, title)).toBe('popular now');
  });

  it('of a cold item is what its content is most like, with the category that both share', () => {
    const context = { isCold: () => true, likeness: (a: number) => (a === 1 ? 0.9 : 0.1) };
    const history = weighHistory([0, 1], null);
    const office = { ...context, categoryOf: (item: number) => (item === 0 ? 'light' : 'office') };
    expect(reasonSentence(reasonOfItem(similarity, history, 2, office), title)).toBe(
      'similar to a desk in office',
    );
    const apart = { ...context, categoryOf: (item: number) => (item === 2 ? 'seats' : 'office') };
    expect(reasonSentence(reasonOfItem(similarity, history, 2, apart), title)).toBe('similar to a desk');
  });
});
