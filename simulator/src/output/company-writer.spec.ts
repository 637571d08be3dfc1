import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Simulation } from '../behaviour/simulation.js';
import { type CompanyPlan, DEMO_PLAN } from '../company-plan.js';
import { writeCompany } from './company-writer.js';

const SMALL: CompanyPlan = { ...DEMO_PLAN, customers: 200, products: 40, accounts: 10, days: 30 };
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function written(plan: CompanyPlan) {
  const folder = await mkdtemp(join(tmpdir(), 'company-'));
  folders.push(folder);
  const summary = await writeCompany(new Simulation(plan), folder);
  const files = await Promise.all(
    (await readdir(folder))
      .sort()
      .map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const),
  );
  return { summary, files: new Map(files) };
}

const parse = (text: string | undefined) =>
  (text ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('writeCompany', () => {
  it('writes the same bytes for the same plan, and other events for another seed', async () => {
    const [first, second, other] = [
      await written(SMALL),
      await written(SMALL),
      await written({ ...SMALL, seed: 43 }),
    ];
    expect([...first.files.keys()]).toEqual(['company.json', 'events.ndjson', 'products.ndjson']);
    expect(second.files).toEqual(first.files);
    expect(other.files.get('events.ndjson')).not.toBe(first.files.get('events.ndjson'));
  });

  it('writes events of the contract under ids that no other company uses', async () => {
    const { files, summary } = await written(SMALL);
    const events = parse(files.get('events.ndjson'));
    const ids = new Set(events.map(({ id }) => id));
    expect(ids.size).toBe(events.length);
    expect(summary.events.total).toBe(events.length);
    for (const event of events) {
      expect(Object.keys(event).filter((key) => key !== 'customerRef')).toEqual([
        'id',
        'at',
        'type',
        'properties',
      ]);
      expect(new Date(String(event['at'])).toISOString()).toBe(event['at']);
      expect('customerRef' in event).toBe(
        !['price_change', 'account_update'].includes(String(event['type'])),
      );
    }
    const other = parse((await written({ ...SMALL, days: 29 })).files.get('events.ndjson'));
    expect(other.some(({ id }) => ids.has(id))).toBe(false);
  });

  it('prices products in decimal strings, above their cost', async () => {
    const products = parse((await written(SMALL)).files.get('products.ndjson'));
    expect(products).toHaveLength(SMALL.products);
    for (const { listPrice, cost } of products as {
      listPrice: { amount: string };
      cost: { amount: string };
    }[]) {
      expect(listPrice.amount).toMatch(/^\d+\.\d{2}$/);
      expect(Number(listPrice.amount)).toBeGreaterThan(Number(cost.amount));
    }
  });

  it('lets nothing of the truth into the data', async () => {
    const { files } = await written(SMALL);
    const text = [...files.values()].join('');
    expect(text).not.toMatch(
      /elasticit|propensit|probabilit|taste|sensitiv|popularit|launchDay|"style"|readiness|isBot/i,
    );
  });
});
