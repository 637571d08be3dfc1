import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GraphClient } from '../graph/graph.client.js';
import { RecordingGateway } from '../graph/recording-gateway.fixture.js';
import { parseMapping } from '../mapping/mapping-file.js';
import { runImport } from './import-run.js';

const RATINGS = `version: 1
name: r
files:
  - path: ratings.csv
    events:
      - type: interaction
        customer: "u:{user}"
        at: { column: at, format: unixSeconds }
        properties:
          productId: "{item}"
          value: { column: rating, type: number }
`;
const CONTRACT =
  'version: 1\nname: c\nfiles:\n  - { path: products.ndjson, as: products, optional: true }\n  - { path: events.ndjson, as: events }\n';

let folder: string;
let gateway: RecordingGateway;
let url: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'import-'));
  gateway = new RecordingGateway();
  url = await gateway.listen();
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await gateway.close();
});

const put = (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content);
const run = (mapping: string, limits: { batch?: number; inFlight?: number } = {}) =>
  runImport({
    mapping: parseMapping(mapping, 'm.yaml'),
    mappingName: 'm.yaml',
    dataFolder: folder,
    graph: new GraphClient({ url, token: () => Promise.resolve('t'), patienceMs: 5_000 }),
    batch: 100,
    inFlight: 3,
    ...limits,
  });
const csv = (rows: number) =>
  `user,item,rating,at\n${Array.from({ length: rows }, (_, i) => `${i},"film, ${i}",4,${1000 + i}\n`).join('')}`;

describe('runImport', () => {
  it('reads a gzipped file in the place of a plain one, and sends every row once in batches, a few at a time', async () => {
    put('ratings.csv.gz', gzipSync(csv(2_510)));
    await expect(run(RATINGS)).resolves.toMatchObject({
      eventsAccepted: 2_510,
      eventsDuplicate: 0,
      rejected: 0,
    });
    expect(gateway.events.get('r/ratings.csv/2510')).toEqual({
      id: 'r/ratings.csv/2510',
      type: 'interaction',
      at: '1970-01-01T00:58:29.000Z',
      customerRef: 'u:2509',
      properties: { productId: 'film, 2509', value: 4 },
    });
    expect(gateway.batchSizes).toHaveLength(26);
    expect(gateway.mostAtOnce).toBeLessThanOrEqual(3);
  });

  it('counts everything as duplicates when it runs again', async () => {
    put('ratings.csv', csv(30));
    await run(RATINGS);
    await expect(run(RATINGS)).resolves.toMatchObject({ eventsAccepted: 0, eventsDuplicate: 30 });
  });

  it('goes on through an outage, with exact counts', async () => {
    put('ratings.csv', csv(500));
    gateway.troubles.push({ status: 503 }, { code: 'STORE_UNAVAILABLE' }, 'cut');
    const { eventsAccepted, eventsDuplicate } = await run(RATINGS);
    expect([eventsAccepted, eventsDuplicate]).toEqual([500, 0]);
  });

  it('halves batches that the graph finds too large', async () => {
    put('ratings.csv', csv(250));
    gateway.maxBatch = 30;
    await expect(run(RATINGS)).resolves.toMatchObject({ eventsAccepted: 250 });
    expect(Math.max(...gateway.batchSizes)).toBeLessThanOrEqual(30);
  });

  it('rejects bad rows alone, by their number in the file, whether it or the graph finds the fault', async () => {
    put(
      'ratings.csv',
      '\ufeffuser,item,rating,at\r\n1,a,5,100\r\n2,b,five,100\r\n\r\n3,c\r\n4,bad,1,100\r\n5,e,1,soon\r\n6,f,1,100\r\n',
    );
    gateway.isBad = ({ properties }) => JSON.stringify(properties).includes('bad');
    const summary = await run(RATINGS);
    expect([...gateway.events.keys()]).toEqual(['r/ratings.csv/1', 'r/ratings.csv/6']);
    expect(summary.rejected).toBe(4);
    expect(summary.reasons.toSorted((a, b) => a.row - b.row)).toEqual([
      {
        file: 'ratings.csv',
        row: 2,
        code: 'INVALID_INPUT',
        path: 'rating',
        message: 'column rating must be a number, got "five"',
      },
      {
        file: 'ratings.csv',
        row: 3,
        code: 'INVALID_INPUT',
        path: null,
        message: 'the row has 2 columns, the header 4',
      },
      { file: 'ratings.csv', row: 4, code: 'INVALID_INPUT', path: 'properties.x', message: 'is bad' },
      {
        file: 'ratings.csv',
        row: 5,
        code: 'INVALID_INPUT',
        path: 'at',
        message: 'column at must be a number, got "soon"',
      },
    ]);
  });

  it('passes lines of the contract on as they are, and rejects those that are not', async () => {
    put(
      'products.ndjson',
      '{"id":"p","title":"P","listPrice":{"amount":"1.00","currency":"EUR"}}\n{"id":"q"}\n',
    );
    const good = '{"id":"1","type":"x","at":"2020-01-01T00:00:00Z","properties":{"ü":[1]}}';
    const bad = [
      '{"id":',
      '[]',
      '{"id":"2","type":"x","at":"2020-01-01"}',
      '{"id":"3","at":"2020-01-01T00:00:00Z"}',
      '{"id":"4","type":"x","at":"2020-01-01T00:00:00Z","shoe":1}',
    ];
    put('events.ndjson', `\n${[good, ...bad].join('\n')}`);
    const summary = await run(CONTRACT);
    expect(gateway.events.get('1')).toEqual(JSON.parse(good));
    expect([gateway.events.size, gateway.products.size, summary.productsUpserted]).toEqual([1, 1, 1]);
    expect(summary.reasons.map(({ file, row }) => `${file} ${row}`)).toEqual([
      'products.ndjson 2',
      ...[2, 3, 4, 5, 6].map((row) => `events.ndjson ${row}`),
    ]);
  });

  it('reports products that the graph finds fault with', async () => {
    put('products.ndjson', '{"id":"p","title":"P"}\n{"id":"q","title":"Q"}\n');
    put('events.ndjson', '');
    gateway.isBad = ({ id }) => id === 'q';
    const summary = await run(CONTRACT);
    expect(summary).toMatchObject({
      productsUpserted: 1,
      rejected: 1,
      reasons: [{ row: 2, path: 'products.1.title' }],
    });
  });

  it.each([
    {
      fault: 'a column is not there',
      file: 'ratings.csv',
      content: 'user,item,at\n1,2,3\n',
      code: 'MAPPING_INVALID',
      message: 'names the column rating, but ratings.csv has user, item, at',
    },
    {
      fault: 'a file is not there',
      file: 'other.csv',
      content: '',
      code: 'IMPORT_SOURCE_INVALID',
      message: 'ratings.csv is not in',
    },
    {
      fault: 'a file is empty',
      file: 'ratings.csv',
      content: '',
      code: 'IMPORT_SOURCE_INVALID',
      message: 'ratings.csv is empty',
    },
    {
      fault: 'a file is no gzip',
      file: 'ratings.csv.gz',
      content: 'user,item',
      code: 'IMPORT_SOURCE_INVALID',
      message: 'ratings.csv is no whole gzip file',
    },
  ])('sends nothing when $fault', async ({ file, content, code, message }) => {
    put(file, content);
    await expect(run(RATINGS)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
    expect(gateway.batchSizes).toEqual([]);
  });

  it('stops with a message at half a gzip file and at an open quote', async () => {
    const whole = gzipSync(csv(50_000));
    put('ratings.csv.gz', whole.subarray(0, whole.length / 2));
    await expect(run(RATINGS)).rejects.toMatchObject({ code: 'IMPORT_SOURCE_INVALID' });
    put('ratings.csv', 'user,item,rating,at\n1,a,5,100\n2,"b,5,100\n');
    await expect(run(RATINGS)).rejects.toMatchObject({
      code: 'IMPORT_SOURCE_INVALID',
      message: expect.stringContaining('ratings.csv row 2') as string,
    });
  });

  it('stops at the first error that no repetition cures', async () => {
    put('ratings.csv', csv(1_000));
    gateway.troubles.push({ code: 'FORBIDDEN' });
    await expect(run(RATINGS, { inFlight: 1 })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(gateway.batchSizes.length).toBeLessThan(3);
  });
});
