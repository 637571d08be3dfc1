import { describe, expect, it } from 'vitest';
import { contentSimilarity, lendToColdItems, wordsOf } from './content.js';

describe('wordsOf', () => {
  it('takes letters and digits of any script, in lower case', () => {
    expect(wordsOf('Crème-brûlée 2x, a Ω3 «Torch»')).toEqual(['crème', 'brûlée', '2x', 'ω3', 'torch']);
    expect(wordsOf('')).toEqual([]);
  });
});

describe('contentSimilarity', () => {
  it('is the cosine of TF-IDF worked out by hand', () => {
    // idf: red (2 of 3 items) ln(4/3) + 1 = 1.28768, shoe and hat (1 of 3) ln 2 + 1 = 1.69315.
    const similarity = contentSimilarity([['red', 'shoe'], ['red', 'hat'], ['kite']]);
    const [red, rare] = [Math.log(4 / 3) + 1, Math.log(2) + 1];
    expect(similarity[1]).toBeCloseTo(red ** 2 / (red ** 2 + rare ** 2), 6);
    expect(similarity[3]).toBe(similarity[1]);
    expect([similarity[0], similarity[2], similarity[5]]).toEqual([0, 0, 0]);
  });

  it('is 1 for equal texts, and 0 for items without words or with words that all items have', () => {
    expect(contentSimilarity([['a1', 'b1'], ['b1', 'a1'], []])[1]).toBeCloseTo(1, 6);
    expect([...contentSimilarity([['all'], ['all']])]).toEqual([0, 0, 0, 0]);
    expect(contentSimilarity([])).toHaveLength(0);
  });
});

describe('lendToColdItems', () => {
  const content = (): Float32Array => Float32Array.of(0, 0.2, 0.6, 0.2, 0, 0, 0.6, 0, 0);

  it('gives a cold item a share of what similar items have, and leaves the others alone', () => {
    // Item 2 is cold and like item 0 only: its column is half of column 0, its row half of row 0.
    const weights = Float32Array.of(0, 0.5, 0, 0.4, 0, 0, 0, 0, 0);
    const popularity = Float64Array.of(8, 4, 0);
    lendToColdItems(weights, popularity, { met: [3, 2, 0], content: content(), share: 0.5 });
    expect([...popularity]).toEqual([8, 4, 4]);
    [0, 0.5, 0, 0.4, 0, 0.2, 0, 0.25, 0].forEach((value, at) => expect(weights[at]).toBeCloseTo(value, 6));
  });

  it('changes nothing with a share of 0, without cold items, or where nothing is alike', () => {
    const weights = Float32Array.of(0, 1, 0, 1, 0, 0, 0, 0, 0);
    for (const cold of [
      { met: [1, 1, 0], content: content(), share: 0 },
      { met: [1, 1, 1], content: content(), share: 1 },
      { met: [1, 1, 0], content: new Float32Array(9), share: 1 },
    ]) {
      const [own, popularity] = [weights.slice(), Float64Array.of(2, 1, 0)];
      lendToColdItems(own, popularity, cold);
      expect([...own]).toEqual([...weights]);
      expect([...popularity]).toEqual([2, 1, 0]);
    }
  });
});
