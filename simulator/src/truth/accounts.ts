import type { CompanyPlan } from '../company-plan.js';
import { RandomStream } from '../random/random-stream.js';

export interface AccountTruth {
  name: string;
  industry: string;
  country: string;
  employees: number;
  /** How ready the account is to buy beyond what its data shows; standard normal. */
  readiness: number;
}

export const INDUSTRIES = [
  'software',
  'manufacturing',
  'retail',
  'healthcare',
  'education',
  'logistics',
  'hospitality',
  'public',
] as const;
export const COUNTRIES = ['DE', 'FR', 'NL', 'AT', 'ES', 'IT', 'PL', 'SE'] as const;
const FIRST = ['North', 'Blue', 'Iron', 'Silver', 'Green', 'Bright', 'River', 'Stone', 'Oak', 'Star'];
const SECOND = ['works', 'field', 'bridge', 'gate', 'light', 'port', 'wood', 'point'];
const SUFFIXES = ['GmbH', 'SARL', 'BV', 'SpA', 'AB', 'SL'];

export function drawAccounts(plan: CompanyPlan): AccountTruth[] {
  const random = new RandomStream(`${plan.seed}/accounts`);
  return Array.from({ length: plan.accounts }, (_, index) => ({
    name: `${random.pick(FIRST)}${random.pick(SECOND)} ${index + 1} ${random.pick(SUFFIXES)}`,
    industry: random.pick(INDUSTRIES),
    country: random.happens(0.45) ? 'DE' : random.pick(COUNTRIES),
    employees: Math.max(2, Math.round(random.logNormal(90, 1.3))),
    readiness: random.normal(),
  }));
}
