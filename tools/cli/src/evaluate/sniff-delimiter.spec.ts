import { describe, expect, it } from 'vitest';
import { sniffDelimiter } from './sniff-delimiter.js';

describe('sniffDelimiter', () => {
  it.each([
    [',', 'a,b\n1,2\n'],
    [';', 'a;b\n1,5;2,5\n'],
    ['\t', 'a\tb, c\n\t\n1\t2\n'],
    ['|', 'a|b\n1|2'],
    [';', '"name, long";"of; what"\n"x\n,,,;;;";2\n'],
    [',', 'a|b,c|d,e|f\n1,2,3\n'],
    [',', 'alone\n1\n'],
    [',', ''],
  ])('finds %j in %j', (delimiter, text) => {
    expect(sniffDelimiter(text)).toBe(delimiter);
  });

  it('goes by the header where the rows are uneven', () => {
    expect(sniffDelimiter('a;b;c\n1;2\n3;4;5\n')).toBe(';');
  });
});
