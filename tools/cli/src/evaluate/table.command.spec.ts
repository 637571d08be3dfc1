import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isTestRow, seededRandom } from '@sextant/learning';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateTableFile, tableCommand, type TableFlags } from './table.command.js';
import { readTableFile } from './table-file.js';

let folder = '';
const path = (name: string): string => join(folder, name);

/** Leads whose stage gives the outcome away; the last of them have no outcome yet. */
function csv(rows: number, outcome: (won: boolean) => string = (won) => (won ? 'yes' : 'no')): string {
  const random = seededRandom(3);
  const lines = Array.from({ length: rows }, (_, i) => {
    const visits = Math.floor(10 * random());
    const won = random() < visits / 12;
    const stage = won && random() < 0.7 ? 'closed' : 'open';
    const day = new Date(Date.UTC(2026, 0, 1) + i * 3_600_000).toISOString();
    return [
      i,
      visits,
      stage,
      i % 3 ? 'web' : '',
      day,
      i % 5 ? 'train' : 'TEST',
      1 + (i % 2),
      i < rows - 5 ? outcome(won) : 'NA',
    ];
  });
  return ['id,visits,stage,source,created,part,weight,won', ...lines].join('\n');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'table-'));
  await writeFile(path('leads.csv'), csv(600));
  await writeFile(path('leads.csv.gz'), gzipSync(csv(600)));
  await writeFile(
    path('kinds.csv'),
    csv(600, (won) => (won ? 'gold' : 'grey')),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const flags = (over: Partial<TableFlags> = {}): TableFlags => ({
  csv: path('leads.csv'),
  target: 'won',
  ...over,
});

describe('readTableFile', () => {
  it('takes test rows by hash, leaves rows without an outcome out and says so', async () => {
    const { examples, testRows, warnings } = await readTableFile(flags());

    expect(examples.labels).toHaveLength(595);
    expect(testRows).toEqual(Array.from({ length: 595 }, (_, i) => i).filter((row) => isTestRow(row)));
    expect(testRows.slice(0, 5)).toEqual([3, 6, 8, 10, 19]);
    expect(warnings).toEqual(['5 rows left out: their "won" is missing']);
  });

  it('takes the last rows in order of the file, or of a column of times', async () => {
    const last = await readTableFile(flags({ split: 'last:0.2' }));
    expect(last.testRows).toEqual(Array.from({ length: 119 }, (_, i) => 476 + i));
    expect(new Set(last.examples.at).size).toBe(595);
    const timed = await readTableFile(flags({ split: 'last:0.2', time: 'created' }));
    expect(timed.examples.at[0]).toBe(Date.UTC(2026, 0, 1));
    expect(timed.examples.table.columns.map(({ name }) => name)).not.toContain('created');
  });

  it('takes the rows that a column calls test, and those of a second file', async () => {
    const byColumn = await readTableFile(flags({ split: 'column:part' }));
    expect(byColumn.testRows.slice(0, 3)).toEqual([0, 5, 10]);
    expect(byColumn.examples.table.columns.map(({ name }) => name)).not.toContain('part');
    const byFile = await readTableFile(flags({ testCsv: path('leads.csv.gz') }));
    expect([byFile.examples.labels.length, byFile.testRows[0], byFile.testRows.length]).toEqual([
      1190, 595, 595,
    ]);
  });

  it('reads other delimiters', async () => {
    await writeFile(path('leads.tsv'), csv(600).replaceAll(',', '\t'));
    const { examples } = await readTableFile(flags({ csv: path('leads.tsv'), delimiter: 'tab' }));

    expect(examples).toEqual((await readTableFile(flags())).examples);
  });

  it('leaves out what is no input', async () => {
    const { examples } = await readTableFile(flags({ drop: 'stage, part', weights: 'weight' }));

    expect(examples.table.columns.map(({ name }) => name)).toEqual(['id', 'visits', 'source', 'created']);
    expect([...(examples.weights ?? [])].slice(0, 3)).toEqual([1, 2, 1]);
  });

  it.each([
    [{ target: 'sold' }, /has no column "sold"; it has "id"/],
    [{ drop: 'durations' }, /--drop names "durations"/],
    [{ split: 'random' }, /--split must be crc32, last:<share/],
    [{ split: 'last:2' }, /--split must be/],
    [{ weights: 'id' }, /row 1: the weight in "id" must be above 0/],
    [{ protected: 'sex' }, /no column "sex"/],
    [{ positive: 'maybe' }, /no row of the target "won" is "maybe"/],
  ])('refuses %j with the remedy', async (over, message) => {
    await expect(readTableFile(flags(over))).rejects.toThrow(message);
  });

  it('asks which value counts rather than guess it', async () => {
    await expect(readTableFile(flags({ csv: path('kinds.csv') }))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(
        /"grey" \(\d+ rows\), "gold" \(\d+ rows\): name the one that counts with --positive/,
      ),
    });
  });
});

describe('evaluate table', () => {
  it('prints one JSON object and writes the page', async () => {
    const printed: string[] = [];
    const args = ['--csv', path('leads.csv.gz'), '--target', 'won', '--json', '--report', path('page.html')];
    await tableCommand((text) => printed.push(text)).parseAsync(args, { from: 'user' });
    const report = JSON.parse(printed.join(''));

    expect(report).toMatchObject({ task: 'table', rows: 595, leaks: ['stage'] });
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining(['chosen', 'because', 'metrics', 'baselines', 'warnings', 'details']),
    );
    expect(report.metrics.auc).toMatchObject({ level: 0.95 });
    expect(report.plots).toBeUndefined();
    expect(await readFile(path('page.html'), 'utf8')).toContain('<!doctype html>');
  });

  it('forecasts a target of many numbers as an amount, unless one of them is named', async () => {
    const report = await evaluateTableFile(flags({ target: 'visits', drop: 'won,part' }));
    expect(Object.keys(report.metrics)).toEqual(['rmse', 'mae', 'r2']);
    expect(report.warnings[0]).toBe(
      'the target "visits" has 10 different numbers and is read as an amount: name one with --positive for a score of two outcomes',
    );
    expect((await readTableFile(flags({ target: 'visits', positive: '3' }))).regression).toBeNull();
    await expect(evaluateTableFile(flags({ target: 'visits', protected: 'source' }))).rejects.toThrow(
      '--protected audits a choice between two outcomes, but "visits" is an amount',
    );
  });

  it('says which column stays text because its comma may mean two things', async () => {
    const rows = Array.from({ length: 9 }, (_, i) => `"${i + 1},${500 + i}",${i % 2}`);
    await writeFile(path('doubt.csv'), ['income,won', ...rows].join('\n'));
    const { warnings } = await readTableFile(flags({ csv: path('doubt.csv') }));
    expect(warnings).toEqual([
      expect.stringContaining('read as text: "1,500" in column "income" is 1500 or 1.5'),
    ]);
  });

  it('names the cell that is no number among a target of numbers', async () => {
    const cells = Array.from({ length: 40 }, (_, i) => (i === 7 ? 'inf' : String(i)));
    await writeFile(path('stray.csv'), ['id,rent', ...cells.map((cell, i) => `${i},${cell}`)].join('\n'));
    await expect(readTableFile(flags({ csv: path('stray.csv'), target: 'rent' }))).rejects.toThrow(
      'the target "rent" holds numbers but for 1 rows, the first of them row 8: "inf"',
    );
  });

  it('reads amounts with signs, and leaves rows without one out', async () => {
    const cells = ['€ 3,50', '', '1.200,00 €', '€ 7', '−2 €'];
    await writeFile(path('rents.csv'), ['id;rent', ...cells.map((cell, i) => `${i};${cell}`)].join('\n'));
    const { regression, warnings } = await readTableFile(flags({ csv: path('rents.csv'), target: 'rent' }));
    expect([...(regression?.amounts ?? [])]).toEqual([3.5, 1200, 7, -2]);
    expect(warnings[0]).toBe('1 rows left out: their "rent" is missing');
  });

  it.each([
    [{ keep: 'stages' }, '--keep names "stages", but leads.csv has no such column'],
    [{ delimiter: '::' }, '--delimiter must be one character or "tab", got "::"'],
  ])('refuses %j', async (over, message) => {
    await expect(evaluateTableFile(flags(over))).rejects.toThrow(message);
  });

  it('refuses a seed that is no number before it trains', async () => {
    const args = ['--csv', path('leads.csv'), '--target', 'won', '--seed', 'abc'];
    await expect(tableCommand(() => undefined).parseAsync(args, { from: 'user' })).rejects.toThrow(
      '--seed must be a whole number up to 999999999, got "abc"',
    );
  });

  it('refuses a threshold that is no probability', async () => {
    await expect(evaluateTableFile(flags({ threshold: '1.5' }))).rejects.toThrow(
      '--threshold must be between 0 and 1',
    );
  });
});
