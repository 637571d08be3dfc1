import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Company } from '../behaviour/company.js';
import type { PendingEvent } from '../behaviour/event-calendar.js';
import type { Simulation } from '../behaviour/simulation.js';
import { CURRENCY, euros, planFingerprint } from '../company-plan.js';
import { CATEGORIES } from '../truth/categories.js';

const LINES_PER_WRITE = 8_192;

/** What `company.json` says about the company: nothing that is not visible in the data. */
export interface CompanySummary {
  seed: number;
  fingerprint: string;
  period: { from: string; until: string; days: number };
  customers: number;
  products: number;
  accounts: number;
  currency: string;
  events: { total: number; byType: Record<string, number> };
}

/**
 * Writes `events.ndjson` (sorted by time), then `products.ndjson` (prices and stock at the end of the period) and `company.json`.
 *
 * @param folder    exists and is writable
 * @param progress  called after each day with the days done and the events written so far
 */
export async function writeCompany(
  simulation: Simulation,
  folder: string,
  progress: (daysDone: number, events: number) => void = () => undefined,
): Promise<CompanySummary> {
  const { company } = simulation;
  const writer = new EventLines(`sim-${planFingerprint(company.plan)}-`);
  const file = await open(join(folder, 'events.ndjson'), 'w');
  try {
    for (const { day, events } of simulation.days()) {
      await writer.write(file, events);
      progress(day + 1, writer.total);
    }
  } finally {
    await file.close();
  }
  await writeText(join(folder, 'products.ndjson'), productLines(company));
  const summary = summarise(company, writer);
  await writeText(join(folder, 'company.json'), [`${JSON.stringify(summary, null, 2)}\n`]);
  return summary;
}

/** Numbers the events in the order they are written. */
class EventLines {
  total = 0;
  readonly byType: Record<string, number> = {};

  constructor(private readonly idPrefix: string) {}

  async write(file: FileHandle, events: readonly PendingEvent[]): Promise<void> {
    for (let from = 0; from < events.length; from += LINES_PER_WRITE) {
      let text = '';
      for (const event of events.slice(from, from + LINES_PER_WRITE)) {
        const at = new Date(event.atMs).toISOString();
        text += `{"id":"${this.idPrefix}${this.total.toString(36)}","at":"${at}","type":"${event.type}",${event.rest}`;
        this.byType[event.type] = (this.byType[event.type] ?? 0) + 1;
        this.total++;
      }
      await file.appendFile(text);
    }
  }
}

function productLines({ assortment, prices }: Company): string[] {
  return assortment.products.map(({ id, title, category, costMinor, stock }, index) => {
    const truth = CATEGORIES[category];
    const listPrice = { amount: euros(prices.list[index] ?? 0), currency: CURRENCY };
    const cost = { amount: euros(costMinor), currency: CURRENCY };
    const categories = truth ? [truth.name, truth.department] : [];
    return `${JSON.stringify({ id, sku: `SKU-${id}`, title, categories, listPrice, cost, stock })}\n`;
  });
}

function summarise({ plan, startMs }: Company, { total, byType }: EventLines): CompanySummary {
  const { seed, customers, products, accounts, days, untilMs } = plan;
  return {
    seed,
    fingerprint: planFingerprint(plan),
    period: { from: new Date(startMs).toISOString(), until: new Date(untilMs).toISOString(), days },
    customers,
    products,
    accounts,
    currency: CURRENCY,
    events: {
      total,
      byType: Object.fromEntries(Object.entries(byType).sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
}

async function writeText(path: string, chunks: readonly string[]): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.appendFile(chunks.join(''));
  } finally {
    await file.close();
  }
}
