import { describe, expect, it } from 'vitest';
import { readLabels } from './read-labels.js';

describe('readLabels', () => {
  it.each([
    [['1', '0', '1'], '1'],
    [['True', 'False'], 'True'],
    [['No', 'Yes'], 'Yes'],
    [['churned', 'no'], 'churned'],
    [['y', 'never'], 'y'],
    [['lost', 'won'], 'won'],
  ])('takes the usual word for yes of %j', (texts, positive) => {
    expect(readLabels(texts, 'y').positive).toBe(positive);
  });

  it('counts the named value against all others', () => {
    const { labels, unknown } = readLabels(['a', 'b', '', 'c', 'a'], 'outcome', 'a');

    expect([...labels]).toEqual([1, 0, 0, 0, 1]);
    expect(unknown).toEqual([2]);
  });

  it.each([
    [
      ['<=50K', '>50K'],
      undefined,
      /"<=50K" \(1 rows\), ">50K" \(1 rows\): name the one that counts with --positive/,
    ],
    [['yes', 'true'], undefined, /name the one that counts/],
    [['a', 'b', 'c'], undefined, /two outcomes; name the one/],
    [['yes', 'yes'], undefined, /every row of the target "y" is "yes"/],
    [['yes', 'no'], 'maybe', /no row of the target "y" is "maybe"; it has/],
    [['', ''], undefined, /no value at all: name the column/],
    [[], undefined, /no value at all/],
  ])('refuses %j with positive %j', (texts, positive, message) => {
    expect(() => readLabels(texts, 'y', positive)).toThrow(message);
  });
});
