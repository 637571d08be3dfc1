import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cell, randomInteger, randomNormal, seededRandom, toColumnTable } from '@sextant/learning';
import { type DriftReport, fitDriftReference, measureDrift } from '@sextant/learning/drift';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CsvFile } from '../csv-file.js';
import { isMissing } from '../missing-cell.js';
import { driftOfFiles } from './drift-of-files.js';
import { NumberSpool } from './number-spool.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drift-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

const HEADER = 'plain,amount,late,codes,empty,channel,words,turned,gone';

/** A column of each kind that files hold; `isNow`: the current file, which differs. */
function csv(seed: number, rows: number, isNow: boolean): string {
  const random = seededRandom(seed);
  const row = (i: number): string =>
    [
      (randomNormal(random) * 10 + (isNow ? 2 : 0)).toFixed(3),
      `"$${(1000 + randomInteger(random, 8000)).toLocaleString('en-US')}.50"`,
      i === rows - 3 ? 'unknown' : randomInteger(random, 30),
      String(randomInteger(random, 40)).padStart(3, '0'),
      '',
      isNow && i % 30 === 0 ? 'app' : ['web', 'shop'][randomInteger(random, 2)],
      ['NA', 'n/a', '1.0', '1', '2'][randomInteger(random, 5)],
      isNow ? randomInteger(random, 5) : ['a', '1', '2'][randomInteger(random, 3)],
      i,
    ].join(',');
  const header = isNow ? HEADER.replace('gone', 'added') : HEADER;
  return `${header}\n${Array.from({ length: rows }, (_, i) => row(i)).join('\n')}\n`;
}

async function inMemory(files: { reference: string; current: string }): Promise<DriftReport> {
  const tableOf = async (path: string) => {
    const file = await CsvFile.read(path);
    return toColumnTable({
      rows: file.rows,
      columns: file.header.map((name) => ({
        name,
        values: file.cells(name).map((text): Cell => (isMissing(text) ? null : text)),
      })),
    });
  };
  return measureDrift(fitDriftReference(await tableOf(files.reference)), await tableOf(files.current));
}

describe('driftOfFiles', () => {
  it('gives the figures that the whole tables give, of every kind of column', async () => {
    const files = { reference: join(folder, 'before.csv'), current: join(folder, 'now.csv') };
    await writeFile(files.reference, csv(1, 5000, false));
    await writeFile(files.current, csv(2, 3000, true));
    const streamed = await driftOfFiles(files, new Set());
    expect(streamed).toEqual(await inMemory(files));
    const drifted = streamed.columns.filter((column) => column.drifted).map(({ name }) => name);
    expect(drifted).toEqual(['plain', 'channel', 'turned']);
    expect(streamed).toMatchObject({ gone: ['gone'], added: ['added'] });
    expect((await driftOfFiles(files, new Set(['plain']))).columns.map(({ name }) => name)).not.toContain(
      'plain',
    );
  });
});

describe('NumberSpool', () => {
  it('gives back every number in its order, and leaves nothing behind', async () => {
    const before = await readdir(tmpdir());
    const spool = new NumberSpool();
    const random = seededRandom(1);
    const expected = { a: [] as number[], b: [] as number[] };
    for (let i = 0; i < 10_000; i++) {
      const name = random() < 0.3 ? 'a' : 'b';
      const value = random();
      spool.add(name, value);
      expected[name].push(value);
    }
    expect([...spool.read('a')]).toEqual(expected.a);
    expect([...spool.read('b')]).toEqual(expected.b);
    expect(spool.read('other')).toHaveLength(0);
    spool.close();
    const own = (names: string[]) => names.filter((name) => name.startsWith('sextant-drift-')).length;
    expect(own(await readdir(tmpdir()))).toBeLessThanOrEqual(own(before));
  });
});
