import { DomainError } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import { parseMapping } from './mapping-file.js';

const HEAD = 'version: 1\nname: shop\nfiles:\n  - path: a.csv\n';
const event = (lines: string) =>
  `${HEAD}    events:\n      - type: order\n        at: "2020-01-01T00:00:00Z"\n${lines}`;

function refusal(text: string): string {
  try {
    parseMapping(text, 'm.yaml');
  } catch (error) {
    if (error instanceof DomainError && error.code === 'MAPPING_INVALID') return error.message;
    throw error;
  }
  throw new Error('the mapping was taken');
}

describe('parseMapping', () => {
  it.each([
    ['no YAML', 'version: 1\nname: [a\n', 'line 3 is no YAML'],
    ['a list', '- 1\n', 'line 1: the file must be a block with the keys version, name, files, products'],
    ['an empty file', '', 'the file must be a block'],
    ['another version', HEAD.replace('1', '2'), 'line 1: version must be 1'],
    ['a name with spaces', HEAD.replace('shop', 'my shop'), 'line 2: name must consist of a-z'],
    ['no files', 'version: 1\nname: shop\n', 'line 1: files is missing'],
    [
      'an empty list of files',
      'version: 1\nname: shop\nfiles: []\n',
      'line 3: files needs at least one file',
    ],
    ['a file that maps nothing', HEAD, 'line 4: files[0] needs either events/products'],
    [
      'a file both mapped and passed on',
      `${event('')}    as: events\n`,
      'files[0] needs either events/products',
    ],
    [
      'an unknown key',
      `${HEAD}    evnets: []\n`,
      'line 4: files[0] has the unknown key evnets; the keys here are path, format',
    ],
    [
      'a path out of the folder',
      event('').replace('a.csv', '../a.csv'),
      'line 4: files[0].path must be a path inside the folder',
    ],
    [
      'an unknown format',
      event('').replace('a.csv', 'a.csv\n    format: xml'),
      'line 5: files[0].format must be csv or ndjson',
    ],
    [
      'a long delimiter',
      event('').replace('a.csv', 'a.csv\n    delimiter: "||"'),
      'line 5: files[0].delimiter must be one character',
    ],
    [
      'an event without type',
      event('').replace('type: order', 'id: x'),
      'line 6: files[0].events[0].type is missing',
    ],
    [
      'an event without time',
      `${HEAD}    events:\n      - type: order\n`,
      'line 6: files[0].events[0].at is missing',
    ],
    [
      'a time without zone',
      event('').replace('00Z', '00'),
      'line 7: files[0].events[0].at must be an instant such as',
    ],
    [
      'an unknown time format',
      event('').replace(/at: .*/, 'at: { column: t, format: quarter }'),
      'line 7: files[0].events[0].at format must be iso',
    ],
    [
      'an open brace',
      event('        customer: "shop:{id"\n'),
      'line 8: files[0].events[0].customer template "shop:{id" has an open brace',
    ],
    [
      'an open brace in a property',
      event('        properties:\n          a: "{x"\n'),
      'line 9: files[0].events[0].properties.a template "{x" has an open brace',
    ],
    [
      'a list as property',
      event('        properties:\n          a: [1]\n'),
      'line 9: files[0].events[0].properties.a must be a text, a number, true/false, or a block with column',
    ],
    [
      'an unknown type of value',
      event('        properties:\n          a: { column: x, type: date }\n'),
      'line 9: files[0].events[0].properties.a.type must be string, number, boolean or decimal',
    ],
    [
      'an unknown key of a value',
      event('        properties:\n          a: { colum: x }\n'),
      'line 9: files[0].events[0].properties.a has the unknown key colum',
    ],
    [
      'a text to compare with',
      event('        properties:\n          a: { column: x, atLeast: "four" }\n'),
      'properties.a.atLeast must be a number',
    ],
    [
      'a condition without comparison',
      event('        when: { column: y }\n'),
      'line 8: files[0].events[0].when needs a comparison: present',
    ],
    [
      'tokens that are no list',
      event('').replace('a.csv', 'a.csv\n    missing: none'),
      'line 5: files[0].missing must be a list',
    ],
    [
      'a column setting',
      event('').replace('a.csv', 'a.csv\n    columns:\n      x: { type: text }'),
      'line 6: files[0].columns.x.type must be',
    ],
    [
      'a bad currency',
      `${HEAD}    products:\n      - { id: "1", title: t, listPrice: { amount: "1", currency: euro } }\n`,
      'line 6: files[0].products[0].listPrice.currency must be an ISO 4217 code',
    ],
    [
      'an inline product with a column',
      `${event('')}products:\n  - { id: "{sku}", title: t }\n`,
      'line 9: products[0] stands outside files',
    ],
  ])('refuses %s with its line and key', (_, text, message) => {
    expect(refusal(text)).toContain(message);
    expect(refusal(text)).toMatch(/m\.yaml line \d+/);
  });

  it('names every problem at once', () => {
    const message = refusal('version: 2\nname: "!"\nfiles: 3\n');
    expect(message).toContain('line 1: version');
    expect(message).toContain('line 2: name');
    expect(message).toContain('line 3: files must be a list');
    expect(message).toContain('docs/guides/import.md');
  });

  it('takes a full mapping, with numbers as missing-value tokens and doubled braces', () => {
    const mapping = parseMapping(
      event('        customer: "{{{id}}}"\n').replace(
        'a.csv',
        'a.csv\n    columns:\n      pdays: { type: number, missing: [-1, unknown] }',
      ),
      'm.yaml',
    );
    expect(mapping.files[0]?.columns['pdays']).toEqual({
      type: 'number',
      missing: ['-1', 'unknown'],
      drop: false,
    });
    expect(mapping.files[0]?.events[0]?.customer).toBe('{{{id}}}');
  });
});
