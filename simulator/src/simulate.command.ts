import { mkdir } from 'node:fs/promises';
import { DomainError } from '@sextant/domain';
import { Command } from 'commander';
import type { DrawnLead } from './behaviour/leads.js';
import type { DrawnRetention } from './behaviour/retention.js';
import { Simulation } from './behaviour/simulation.js';
import { type CompanyPlan, customerRef, DAY_MS, DEMO_PLAN } from './company-plan.js';
import { type CompanySummary, writeCompany } from './output/company-writer.js';
import { retentionTruth } from './truth/retention-truth.js';
import { checkTruthPath, writeTruthFile } from './truth/truth-file.js';

export interface SimulateOptions {
  plan: CompanyPlan;
  out: string;
  /** Where the ground truth goes; nowhere when absent. */
  truth?: string;
  /** The data directory of the local installation, which must never hold the truth. */
  dataDir: string;
  progress?: (daysDone: number, events: number) => void;
}

/** Simulates one company into `out`. @throws DomainError INVALID_INPUT for a truth file at a place that others read */
export async function simulate({
  plan,
  out,
  truth,
  dataDir,
  progress,
}: SimulateOptions): Promise<CompanySummary> {
  const truthFile = truth === undefined ? null : checkTruthPath(truth, [out, dataDir]);
  await mkdir(out, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    const message = `--out must be a folder that can be made and written, got "${out}" (${cause.code})`;
    throw new DomainError('INVALID_INPUT', message, { path: '--out', cause });
  });
  const leads: DrawnLead[] = [];
  const retentions: DrawnRetention[] = [];
  const observe = {
    lead: (lead: DrawnLead) => leads.push(lead),
    retention: (retention: DrawnRetention) => retentions.push(retention),
  };
  const simulation = new Simulation(plan, truthFile === null ? {} : observe);
  const summary = await writeCompany(simulation, out, progress);
  if (truthFile !== null) {
    const lines = leads.map(({ customer, atMs, ...drawn }) => ({
      customerRef: customerRef(customer),
      at: new Date(atMs).toISOString(),
      ...drawn,
    }));
    const retention = retentionTruth(simulation.company.population, retentions);
    await writeTruthFile(truthFile, simulation.company, { leads: lines, retention });
  }
  return summary;
}

type Flags = Record<
  'customers' | 'products' | 'accounts' | 'days' | 'seed' | 'until' | 'eventsPerCustomer' | 'out',
  string
> & { truth?: string };

/** Parses, delegates, prints: the summary to stdout, progress to stderr. */
export function simulateCommand(
  run: (options: SimulateOptions) => Promise<CompanySummary>,
  dataDir: string,
): Command {
  const demo = DEMO_PLAN;
  return new Command('simulate')
    .description('simulate a company and write its events and products as NDJSON')
    .requiredOption('--out <dir>', 'folder for events.ndjson, products.ndjson and company.json')
    .option('--customers <n>', 'number of customers', String(demo.customers))
    .option('--products <n>', 'number of products', String(demo.products))
    .option('--accounts <n>', 'number of business accounts', String(demo.accounts))
    .option('--days <n>', 'length of the period', String(demo.days))
    .option('--events-per-customer <n>', 'mean number of events per customer', String(demo.eventsPerCustomer))
    .option('--seed <n>', 'seed of every random draw', String(demo.seed))
    .option(
      '--until <date>',
      'end of the period, midnight UTC (YYYY-MM-DD)',
      new Date(demo.untilMs).toISOString().slice(0, 10),
    )
    .option(
      '--truth <file>',
      'write the ground truth to this file (readable by you alone; never beside the data)',
    )
    .action(async (flags: Flags) => {
      const plan = readPlan(flags);
      const { out, truth } = flags;
      const summary = await run({
        plan,
        out,
        dataDir,
        progress: progressPrinter(plan.days),
        ...(truth === undefined ? {} : { truth }),
      });
      process.stdout.write(`${JSON.stringify(summary)}\n`);
    });
}

function readPlan(flags: Flags): CompanyPlan {
  return {
    seed: wholeNumber('--seed', flags.seed, [0, Number.MAX_SAFE_INTEGER]),
    customers: wholeNumber('--customers', flags.customers, [1, 20_000_000]),
    products: wholeNumber('--products', flags.products, [1, 1_000_000]),
    accounts: wholeNumber('--accounts', flags.accounts, [0, 1_000_000]),
    days: wholeNumber('--days', flags.days, [1, 3_660]),
    eventsPerCustomer: wholeNumber('--events-per-customer', flags.eventsPerCustomer, [2, 100_000]),
    untilMs: midnight(flags.until),
  };
}

function wholeNumber(flag: string, text: string, [low, high]: readonly [number, number]): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  throw new DomainError(
    'INVALID_INPUT',
    `${flag} must be a whole number from ${low} to ${high}, got "${text}"`,
    { path: flag },
  );
}

function midnight(text: string): number {
  const parsed = /^\d{4}-\d{2}-\d{2}(T00:00:00(\.000)?Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  const sameDay = Number.isFinite(parsed) && new Date(parsed).toISOString().startsWith(text.slice(0, 10));
  if (sameDay && parsed % DAY_MS === 0) return parsed;
  throw new DomainError(
    'INVALID_INPUT',
    `--until must be a date such as 2026-01-31 (midnight UTC), got "${text}"`,
    { path: '--until' },
  );
}

/** One line rewritten on a terminal; a line per tenth of the period otherwise. */
function progressPrinter(days: number): (daysDone: number, events: number) => void {
  const isTerminal = process.stderr.isTTY === true;
  const step = isTerminal ? 1 : Math.max(1, Math.floor(days / 10));
  return (daysDone, events) => {
    if (daysDone % step !== 0 && daysDone !== days) return;
    const line = `simulated ${daysDone} of ${days} days, ${events.toLocaleString('en')} events`;
    process.stderr.write(
      isTerminal && daysDone !== days ? `\r${line}` : `${isTerminal ? '\r' : ''}${line}\n`,
    );
  };
}
