import type { CompanyPlan } from '../company-plan.js';
import { startMs } from '../company-plan.js';
import { type AccountTruth, drawAccounts } from '../truth/accounts.js';
import { drawPopulation, type PopulationTruth } from '../truth/customers.js';
import { type Assortment, drawAssortment } from '../truth/products.js';
import { CustomerMemory } from './customer-memory.js';
import { EventCalendar } from './event-calendar.js';
import { PriceBoard } from './prices.js';

/** A company in motion: what it is, what has happened, what is planned. */
export interface Company {
  plan: CompanyPlan;
  startMs: number;
  assortment: Assortment;
  population: PopulationTruth;
  accounts: readonly AccountTruth[];
  memory: CustomerMemory;
  calendar: EventCalendar;
  prices: PriceBoard;
}

export function foundCompany(plan: CompanyPlan): Company {
  const assortment = drawAssortment(plan);
  const population = drawPopulation(plan, assortment);
  const start = startMs(plan);
  return {
    plan,
    startMs: start,
    assortment,
    population,
    accounts: drawAccounts(plan),
    memory: new CustomerMemory(plan.customers, (customer) => (population.emailFrequency[customer] ?? 0) > 0),
    calendar: new EventCalendar(start, plan.days),
    prices: new PriceBoard(assortment.products),
  };
}

/** Whether the customer can act on a day: joined, not gone, not one of those never seen. */
export function isPresent({ population }: Company, customer: number, day: number): boolean {
  return (
    day >= (population.joinDay[customer] ?? 0) &&
    day < (population.leaveDay[customer] ?? 0) &&
    population.isUnseen[customer] === 0
  );
}
