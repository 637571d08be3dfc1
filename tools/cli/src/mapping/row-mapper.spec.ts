import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseMapping } from './mapping-file.js';
import type { Mapping } from './mapping-schema.js';
import { inlineProducts, RowMapper } from './row-mapper.js';

const shipped = (name: string) =>
  parseMapping(
    readFileSync(fileURLToPath(new URL(`../../mappings/${name}.yaml`, import.meta.url)), 'utf8'),
    name,
  );

function mapperOf(mapping: Mapping, file = 0): RowMapper {
  const found = mapping.files[file];
  if (!found) throw new Error(`the mapping has no file ${file}`);
  return new RowMapper(mapping.name, found);
}

const row = (cells: Record<string, unknown>, number = 1) => ({
  number,
  cells: new Map(Object.entries(cells)),
});
const withEvent = (lines: string, file = '') =>
  mapperOf(
    parseMapping(
      `version: 1\nname: t\nfiles:\n  - path: a.csv\n${file}    events:\n      - type: x\n${lines}`,
      't',
    ),
  );
const AT = '        at: "2020-01-01T00:00:00Z"\n';
const property = (value: string, file = '') =>
  withEvent(`${AT}        properties:\n          p: ${value}\n`, file);
const p = (mapper: RowMapper, cells: Record<string, unknown>) =>
  mapper.map(row(cells)).events[0]?.properties['p'];

describe('the shipped mappings', () => {
  it('make films products and ratings interactions', () => {
    const mapping = shipped('movielens_100k');
    expect(
      mapperOf(mapping).map(
        row({ item_id: '7', title: 'Twelve Monkeys', release_year: '1995', genres: 'Drama Sci-Fi' }),
      ),
    ).toEqual({
      events: [],
      products: [{ id: '7', title: 'Twelve Monkeys', categories: ['Drama', 'Sci-Fi'] }],
    });
    const ratings = mapperOf(mapping, 1);
    expect(
      ratings.map(row({ user_id: '196', item_id: '242', rating: '3', timestamp: '881250949' })).events,
    ).toEqual([
      {
        id: 'movielens_100k/196-242',
        type: 'interaction',
        at: '1997-12-04T15:55:49.000Z',
        customerRef: 'movielens:196',
        properties: { productId: '242', value: 3, relevant: false },
      },
    ]);
    const relevant = (rating: string) =>
      ratings.map(row({ user_id: '1', item_id: '2', rating, timestamp: '1' })).events[0]?.properties[
        'relevant'
      ];
    expect([relevant('3'), relevant('4'), relevant('5')]).toEqual([false, true, true]);
  });

  it('make a bank call a lead without its duration, and an outcome an instant later where there is one', () => {
    const call = {
      age: '58',
      job: 'unknown',
      default: 'no',
      balance: '-1',
      day: '5',
      month: 'may',
      duration: '261',
      campaign: '1',
      pdays: '-1',
      previous: '0',
      poutcome: 'unknown',
      y: 'yes',
    };
    const mapper = mapperOf(shipped('bank_marketing'));
    expect(mapper.map(row(call, 12)).events).toEqual([
      {
        id: 'bank_marketing/12/lead',
        type: 'lead_submitted',
        at: '2010-12-01T00:00:00.000Z',
        customerRef: 'bank:12',
        properties: { age: 58, default: 'no', balance: -1, day: 5, month: 'may', campaign: 1, previous: 0 },
      },
      {
        id: 'bank_marketing/12/outcome',
        type: 'sales_outcome',
        at: '2010-12-01T00:00:01.000Z',
        customerRef: 'bank:12',
        properties: { won: true },
      },
    ]);
    expect(mapper.map(row({ ...call, y: 'no' })).events[1]?.properties).toEqual({ won: false });
    expect(mapper.map(row({ ...call, y: '' })).events.map(({ type }) => type)).toEqual(['lead_submitted']);
  });

  it('make orange juice three products and a sale a row, with the price as written', () => {
    const mapping = shipped('oj_dominicks');
    expect(inlineProducts(mapping).map(({ id, listPrice }) => [id, listPrice?.currency])).toEqual([
      ['tropicana', 'USD'],
      ['minute.maid', 'USD'],
      ['dominicks', 'USD'],
    ]);
    expect(
      mapperOf(mapping).map(row({ sales: '8255.5', price: '3.10', brand: 'minute.maid', feat: '1' }, 4))
        .events,
    ).toEqual([
      {
        id: 'oj_dominicks/4',
        type: 'sale_observed',
        at: '1997-05-01T00:00:00.000Z',
        properties: { productId: 'minute.maid', units: 8255.5, price: '3.10', feature: 1 },
      },
    ]);
  });
});

describe('RowMapper', () => {
  it.each([
    ['"{a}-{b}"', { a: '1', b: '2' }, '1-2'],
    ['"{a}-{b}"', { a: '1', b: '' }, undefined],
    ['"{{{a}}} {row}"', { a: '1' }, '{1} 1'],
    ['true', {}, true],
    ['2.5', {}, 2.5],
    ['{ column: a, type: number }', { a: '1e3' }, 1000],
    ['{ column: a, type: number }', { a: 7 }, 7],
    ['{ column: a, type: boolean }', { a: 'Yes' }, true],
    ['{ column: a, type: boolean }', { a: false }, false],
    ['{ column: a, type: decimal }', { a: '007.50' }, '7.50'],
    ['{ column: a, type: decimal }', { a: '-.5' }, '-0.5'],
    ['{ column: a, type: decimal }', { a: '3.' }, '3'],
    ['{ column: a, missing: [n/a] }', { a: 'n/a' }, undefined],
    ['{ column: a, split: "|" }', { a: 'x| y|' }, ['x', 'y']],
    ['{ column: a, equals: yes }', { a: 'yes' }, true],
    ['{ column: a, notEquals: yes }', { a: 'yes' }, false],
    ['{ column: a, in: [1, 2] }', { a: '2' }, true],
    ['{ column: a, above: 1, atMost: 2 }', { a: '2' }, true],
    ['{ column: a, above: 1, below: 2 }', { a: '2' }, false],
    ['{ column: a, equals: yes }', { a: '' }, undefined],
  ])('reads %s of %j as %j', (value, cells, expected) => {
    expect(p(property(value), cells)).toEqual(expected);
  });

  it.each([
    ['{ column: a, type: number }', { a: 'ten' }, 'column a must be a number, got "ten"'],
    ['{ column: a, type: number }', { a: 'Infinity' }, 'must be a number'],
    ['{ column: a, type: boolean }', { a: 'maybe' }, 'must be true/false'],
    ['{ column: a, type: decimal }', { a: '1,50' }, 'must be a decimal such as 12.90, got "1,50"'],
    ['{ column: a, atLeast: 4 }', { a: 'good' }, 'must be a number, got "good"'],
    ['{ column: a }', { a: [1] }, 'must hold one value'],
  ])('rejects the row when %s meets %j', (value, cells, message) => {
    expect(() => p(property(value), cells)).toThrow(message);
  });

  it.each([
    ['iso', '2020-02-29', '2020-02-29T00:00:00.000Z'],
    ['iso', '2020-02-29T10:00:00+02:00', '2020-02-29T08:00:00.000Z'],
    ['unixSeconds', '1.5', '1970-01-01T00:00:01.500Z'],
    ['unixMillis', '1500', '1970-01-01T00:00:01.500Z'],
    ['dd.MM.yyyy', '1.3.2020', '2020-03-01T00:00:00.000Z'],
    ['"MM/dd/yyyy HH:mm:ss"', '03/01/2020 23:59:01', '2020-03-01T23:59:01.000Z'],
  ])('reads times written as %s: %s', (format, text, expected) => {
    const mapper = withEvent(`        at: { column: t, format: ${format} }\n`);
    expect(mapper.map(row({ t: text })).events[0]?.at).toBe(expected);
  });

  it.each([
    ['iso', 'yesterday'],
    ['iso', '2020-01-01T00:00:00'],
    ['iso', '2020-02-30'],
    ['iso', '2021-02-29T10:00:00Z'],
    ['dd.MM.yyyy', '31.02.2020'],
    ['dd.MM.yyyy', '2020-02-01'],
    ['unixSeconds', 'x'],
    ['unixSeconds', '1e99'],
    ['iso', ''],
  ])('rejects a row whose time is no %s: %s', (format, text) => {
    const mapper = withEvent(`        at: { column: t, format: ${format} }\n`);
    expect(() => mapper.map(row({ t: text }))).toThrow('column t');
  });

  it('shifts a time by the seconds asked for', () => {
    const mapper = withEvent('        at: { column: t, offsetSeconds: 86400 }\n');
    expect(mapper.map(row({ t: '2020-01-01' })).events[0]?.at).toBe('2020-01-02T00:00:00.000Z');
  });

  it('gives an event without id one from mapping, file and row, the same on every run', () => {
    expect(withEvent(AT).map(row({}, 17)).events[0]?.id).toBe('t/a.csv/17');
    const two = withEvent(`${AT}      - type: y\n${AT}`).map(row({}, 3)).events;
    expect(two.map(({ id }) => id)).toEqual(['t/a.csv/3/1', 't/a.csv/3/2']);
  });

  it('rejects a row whose customer is missing instead of sending an event of nobody', () => {
    const mapper = withEvent(`${AT}        customer: "shop:{id}"\n`);
    expect(() => mapper.map(row({ id: '' }))).toThrow('customer needs id, which is missing');
  });

  it('keeps only rows that meet the filter, and lists all others columns but the dropped and the named ones', () => {
    const mapper = withEvent(
      `${AT}        customer: "{id}"\n        allOtherColumns: true\n        properties:\n          b: "{b}!"\n`,
      '    columns:\n      secret: { drop: true }\n      n: { type: number }\n    where: [{ column: keep, in: [yes] }, { column: n, above: 0 }]\n',
    );
    expect(mapper.map(row({ id: '1', keep: 'no', n: '1', b: 'x' })).events).toEqual([]);
    expect(mapper.map(row({ id: '1', keep: 'yes', n: '', b: 'x' })).events).toEqual([]);
    const [event] = mapper.map(
      row({ id: '1', keep: 'yes', n: '3', b: 'x', c: 'y', empty: '', secret: 's' }),
    ).events;
    expect(event?.properties).toEqual({ b: 'x!', c: 'y' });
  });
});
