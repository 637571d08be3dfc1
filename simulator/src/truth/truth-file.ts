import { lstatSync, realpathSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, resolve, sep } from 'node:path';
import { DomainError } from '@sextant/domain';
import type { CompanyPlan } from '../company-plan.js';
import { customerRef } from '../company-plan.js';
import { CATEGORIES } from './categories.js';
import { customerTypeAt } from './customer-types.js';
import { type PopulationTruth, tasteShares } from './customers.js';
import type { Assortment } from './products.js';
import { STYLE_DIMENSIONS } from './style.js';
import type { RetentionTruth } from './retention-truth.js';

/** One lead with the probability its outcome was drawn from. */
export interface LeadTruth {
  customerRef: string;
  at: string;
  probability: number;
  visibleProbability: number;
  won: boolean;
}

/** All that was drawn before the first day. */
export interface CompanyTruth {
  plan: CompanyPlan;
  assortment: Assortment;
  population: PopulationTruth;
}

/**
 * Where the truth may be written: outside every folder that other parts of the product read.
 *
 * @throws DomainError INVALID_INPUT when the file lies inside one of `forbidden`, or is not an ordinary file
 */
export function checkTruthPath(file: string, forbidden: readonly string[]): string {
  const target = resolve(realPath(dirname(resolve(file))), basename(file));
  for (const folder of forbidden) {
    const root = realPath(resolve(folder));
    if (target === root || target.startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw new DomainError(
        'INVALID_INPUT',
        `--truth must lie outside ${folder}, got ${file}: name a file elsewhere`,
        { path: 'truth' },
      );
    }
  }
  if (lstatSync(target, { throwIfNoEntry: false })?.isFile() === false) {
    throw new DomainError('INVALID_INPUT', `--truth must be an ordinary file, got ${file}`, {
      path: 'truth',
    });
  }
  return target;
}

/** The real path of the longest part that exists, with the rest appended. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : resolve(realPath(parent), basename(path));
  }
}

/** Writes NDJSON, readable by the owner only: one line a product, a customer, a lead, an assignment of a retention campaign. */
export async function writeTruthFile(
  file: string,
  { plan, assortment, population }: CompanyTruth,
  drawn: { leads: readonly LeadTruth[]; retention: readonly RetentionTruth[] },
): Promise<void> {
  rmSync(file, { force: true });
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.appendFile(
      `${JSON.stringify({ kind: 'plan', ...plan, categories: CATEGORIES.map(({ name }) => name) })}\n`,
    );
    for (const { id, category, elasticity, popularity, launchDay, style } of assortment.products) {
      await handle.appendFile(
        `${JSON.stringify({ kind: 'product', id, category, elasticity, popularity, launchDay, style })}\n`,
      );
    }
    for (let from = 0; from < plan.customers; from += 1000) {
      const chunk = Array.from({ length: Math.min(1000, plan.customers - from) }, (_, i) =>
        customerLine(population, from + i),
      );
      await handle.appendFile(chunk.join(''));
    }
    for (const lead of drawn.leads) await handle.appendFile(`${JSON.stringify({ kind: 'lead', ...lead })}\n`);
    await handle.appendFile(
      drawn.retention.map((line) => `${JSON.stringify({ kind: 'retention', ...line })}\n`).join(''),
    );
  } finally {
    await handle.close();
  }
}

function customerLine(population: PopulationTruth, customer: number): string {
  const type = customerTypeAt(population.type[customer] ?? 0);
  const style = population.style.subarray(customer * STYLE_DIMENSIONS, (customer + 1) * STYLE_DIMENSIONS);
  const line = {
    kind: 'customer',
    customerRef: customerRef(customer),
    type: type.name,
    goOn: type.goOn,
    taste: tasteShares(population, customer).map((share) => Number(share.toFixed(5))),
    style: Array.from(style, (part) => Number(part.toFixed(5))),
    priceSensitivity: population.priceSensitivity[customer],
    activity: population.activity[customer],
    conversion: population.conversion[customer],
    emailAffinity: population.emailAffinity[customer],
    leadQuality: population.leadQuality[customer],
    joinDay: population.joinDay[customer],
    leaveDay: population.leaveDay[customer],
    isBot: population.isBot[customer] === 1,
  };
  return `${JSON.stringify(line)}\n`;
}
