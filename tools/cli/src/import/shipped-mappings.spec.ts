import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GraphClient } from '../graph/graph.client.js';
import { RecordingGateway } from '../graph/recording-gateway.fixture.js';
import { readMapping } from '../mapping/mapping-file.js';
import { runImport } from './import-run.js';

const data = process.env['SEXTANT_DATA'];
if (!data) process.stdout.write('skipped: the shipped mappings on real data (SEXTANT_DATA is not set)\n');

let gateway: RecordingGateway;
let url: string;
beforeEach(async () => {
  gateway = new RecordingGateway();
  url = await gateway.listen();
});
afterEach(() => gateway.close());

describe.skipIf(!data)('the shipped mappings on the public sets', () => {
  it.each([
    { set: 'movielens_100k', products: 1_682, events: 100_000 },
    { set: 'bank_marketing', products: 0, events: 90_422 },
    { set: 'oj_dominicks', products: 3, events: 28_947 },
  ])('take every row of $set', async ({ set, products, events }) => {
    const mapping = readMapping(fileURLToPath(new URL(`../../mappings/${set}.yaml`, import.meta.url)));
    const graph = new GraphClient({ url, token: () => Promise.resolve('t') });
    const summary = await runImport({
      mapping,
      mappingName: set,
      dataFolder: join(data ?? '', set),
      graph,
      batch: 2_000,
      inFlight: 4,
    });
    expect(summary).toMatchObject({ productsUpserted: products, eventsAccepted: events, rejected: 0 });
    expect(gateway.events.size).toBe(events);
    if (set !== 'bank_marketing') return;
    const won = [...gateway.events.values()].filter(
      ({ properties }) => (properties as { won?: boolean }).won === true,
    );
    expect(won).toHaveLength(5_289);
    expect(
      [...gateway.events.values()].some(
        ({ properties }) => 'duration' in (properties as object) || 'y' in (properties as object),
      ),
    ).toBe(false);
  });
});
