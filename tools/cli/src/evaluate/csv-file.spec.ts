import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { CsvFile } from './csv-file.js';

const folder = mkdtempSync(join(tmpdir(), 'sextant-csv-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function aFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

describe('CsvFile', () => {
  it('reads columns of a gzipped file; blanks around cells are dropped, missing numbers are NaN', async () => {
    const file = await CsvFile.read(aFile('a.csv.gz', 'id,x\n1, 2.5 \n2,\n3,NA\n'));
    expect(file.header).toEqual(['id', 'x']);
    expect(file.rows).toBe(3);
    expect([...file.numbers('x')]).toEqual([2.5, Number.NaN, Number.NaN]);
    expect(file.texts('id')).toEqual(['1', '2', '3']);
  });

  it('reads ISO dates as UTC, and numbers as they are', async () => {
    const file = await CsvFile.read(aFile('b.csv', 'day,week\n2026-01-31,9\n2026-01-31T01:00:00+01:00,10\n'));
    expect([...file.times('day')]).toEqual([Date.UTC(2026, 0, 31), Date.UTC(2026, 0, 31)]);
    expect([...file.times('week')]).toEqual([9, 10]);
  });

  it('finds the delimiter, and reads dates and amounts as a spreadsheet of that country writes them', async () => {
    const text = [
      '\ufeff"day; time";amount;name',
      '13.01.2026 10:30;1.234,50 €;"x\n""y"""',
      '02.01.2026 00:00;7,00 €;z',
    ];
    const file = await CsvFile.read(aFile('f.csv', text.join('\r\n')));
    expect(file.header).toEqual(['day; time', 'amount', 'name']);
    expect([...file.times('day; time')]).toEqual([Date.UTC(2026, 0, 13, 10, 30), Date.UTC(2026, 0, 2)]);
    expect([...file.numbers('amount')]).toEqual([1234.5, 7]);
    expect([file.cells('amount')[0], file.texts('amount')[0]]).toEqual(['1234.5', '1.234,50 €']);
    expect(file.texts('name')[0]).toBe('x\n"y"');
  });

  it('keeps milliseconds, which order the views of one second', async () => {
    const file = await CsvFile.read(aFile('g.csv', 't\n2026-01-31T00:00:01.5Z\n2026-01-31 00:00:01.25\n'));
    const second = Date.UTC(2026, 0, 31, 0, 0, 1);
    expect([...file.times('t')]).toEqual([second + 500, second + 250]);
  });

  it('refuses other letters than UTF-8, which would all look the same', async () => {
    const path = aFile('h.csv', 'name\n');
    writeFileSync(path, Buffer.from('name\n\u00e9\n\u00fc\n', 'latin1'));
    await expect(CsvFile.read(path)).rejects.toThrow('h.csv is no UTF-8 text');
  });

  it.each([
    ['a missing time among numbers', 't\n1600000000\nNA\n', 'row 2: "NA" in column "t" is missing'],
    ['days that may be months', 't\n01/02/2026\n03/04/2026\n', 'day and month could change places'],
  ])('names %s', async (_, text, message) => {
    const file = await CsvFile.read(aFile('i.csv', text));
    expect(() => file.times('t')).toThrow(message);
  });

  it.each([
    [
      'a missing column, with those there are',
      'id\n1\n',
      (f: CsvFile) => f.texts('y'),
      'no column "y"; it has "id"',
    ],
    [
      'a text among numbers',
      'x\n1\nabc\n',
      (f: CsvFile) => f.numbers('x'),
      'row 2: "abc" in column "x" is no number',
    ],
    ['a day that no calendar has', 'd\n2026-02-30\n', (f: CsvFile) => f.times('d'), 'row 1: "2026-02-30"'],
  ])('names %s', async (_, text, read, message) => {
    const file = await CsvFile.read(aFile('c.csv', text));
    expect(() => read(file)).toThrow(message);
  });

  it.each([
    ['a ragged row', 'a,b\n1,2\n3\n', 'row 2: the row has 1 columns, the header 2'],
    ['a doubled column', 'a,a\n1,2\n', 'two columns named "a"'],
    ['a file without rows', 'a,b\n', 'a header and no rows'],
  ])('refuses %s', async (_, text, message) => {
    await expect(CsvFile.read(aFile('d.csv', text))).rejects.toThrow(message);
  });

  it('refuses half a gzip file by name', async () => {
    const path = aFile('e.csv.gz', 'a\n1\n');
    writeFileSync(path, gzipSync('a\n'.repeat(5000)).subarray(0, 30));
    await expect(CsvFile.read(path)).rejects.toThrow('e.csv.gz is no whole gzip file');
  });
});
