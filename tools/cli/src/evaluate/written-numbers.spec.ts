import { describe, expect, it } from 'vitest';
import { writtenNumbers } from './written-numbers.js';

const read = (...texts: string[]): number[] | null => writtenNumbers(texts, 'x')?.map(Number) ?? null;

describe('writtenNumbers', () => {
  it.each([
    ['thousands and cents', ['$1,234.50', '$7', '-$3.2', '($10.00)'], [1234.5, 7, -3.2, -10]],
    ['a decimal comma', ['1.234,50 €', '7 €', '−3,2 €'], [1234.5, 7, -3.2]],
    ['thousands by a blank', ['1 234,5', '12'], [1234.5, 12]],
    ['shares', ['12.5%', '100 %', '-3%'], [0.125, 1, -0.03]],
    ['dollars, whose comma is of thousands', ['$1,234', '$950'], [1234, 950]],
    ['a comma that another row makes clear', ['1,234', '0,5'], [1.234, 0.5]],
    ['a comma that another row makes clear the other way', ['1,234', '1,234,567'], [1234, 1234567]],
    ['numbers of which one stands plainly', ['1,234.5', '1e3', '7'], null],
  ])('reads %s', (_, texts, expected) => {
    expect(read(...texts)).toEqual(expected);
  });

  it('leaves missing cells as they are', () => {
    expect(writtenNumbers(['$5', '', 'NA'], 'x')).toEqual(['5', '', 'NA']);
  });

  it.each([
    [['1', '2.5', '']],
    [['01234', '00501']],
    [['web', '$5']],
    [['1,2,3', '4']],
    [['%', '$']],
    [['2026-01-31', '$5']],
    [[]],
  ])('leaves %j alone', (texts) => {
    expect(writtenNumbers(texts, 'x')).toBeNull();
  });

  it('does not guess whether a comma is of thousands or of decimals', () => {
    expect(() => writtenNumbers(['7', '1,234'], 'weight')).toThrow(
      '"1,234" in column "weight" is 1234 or 1.234',
    );
  });
});
