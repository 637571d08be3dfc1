import { DAY_MS, euros } from '../company-plan.js';
import { RandomStream } from '../random/random-stream.js';
import { type AccountTruth, INDUSTRIES } from '../truth/accounts.js';
import { type LeadContext, type LeadForm, leadProbability, withoutTheUnseen } from '../truth/propensities.js';
import { type Company, isPresent } from './company.js';
import { drawOfficeTime, officeSeason } from './season.js';

const MEAN_DAYS_BETWEEN_FORMS = 85;
const NEVER_ANSWERED_SHARE = 0.05;
const TITLES = [
  'buyer',
  'buyer',
  'office_manager',
  'office_manager',
  'head_of_purchasing',
  'owner',
  'assistant',
  'engineer',
  'student',
] as const;
const SOURCES = [
  'organic_search',
  'organic_search',
  'paid_search',
  'paid_search',
  'social',
  'webinar',
  'referral',
  'fair',
  'partner',
] as const;
const TIMELINES = ['now', 'quarter', 'quarter', 'later'] as const;
const RARE_INDUSTRIES = ['space', 'fishery', 'esports'] as const;

/** What really stood behind a form, for whoever keeps the truth. */
export interface DrawnLead {
  customer: number;
  atMs: number;
  probability: number;
  /** the same of an average account and person: the best that can be told from forms and events */
  visibleProbability: number;
  won: boolean;
}

/** Lead forms of accounts' contacts, and their outcomes days later; a contact sends no second form before the first is decided. */
export class Leads {
  private readonly random: RandomStream;

  constructor(
    private readonly company: Company,
    private readonly observe: (lead: DrawnLead) => void,
  ) {
    this.random = new RandomStream(`${company.plan.seed}/leads`);
  }

  openDay(day: number): void {
    const { plan, population, memory, startMs } = this.company;
    const hazard = officeSeason(startMs + day * DAY_MS) / MEAN_DAYS_BETWEEN_FORMS;
    for (let customer = 0; customer < plan.customers; customer++) {
      const account = this.company.accounts[population.account[customer] ?? -1];
      if (!account || population.activity[customer] === 0 || population.isBot[customer] === 1) continue;
      if (day < (memory.leadClosedDay[customer] ?? 0) || !isPresent(this.company, customer, day)) continue;
      if (this.random.happens(hazard)) this.submit(customer, day, account);
    }
  }

  private submit(customer: number, day: number, account: AccountTruth): void {
    const { calendar, memory, population, startMs } = this.company;
    const atMs = startMs + day * DAY_MS + drawOfficeTime(this.random);
    const form = this.fillForm(account, day);
    calendar.add(atMs, 'lead_submitted', customer, { ...form });
    const context: LeadContext = {
      recentViews: memory.views.read(customer, day),
      recentClicks: memory.clicks.read(customer, day),
      orders: memory.orders[customer] ?? 0,
      employees: account.employees,
      readiness: account.readiness,
      leadQuality: population.leadQuality[customer] ?? 0,
    };
    const probability = leadProbability(form, context);
    const visibleProbability = leadProbability(form, withoutTheUnseen(context));
    const won = this.random.happens(probability);
    this.observe({ customer, atMs, probability, visibleProbability, won });
    const delayMs = Math.floor(Math.min(45, 1 + this.random.logNormal(6, 0.6)) * DAY_MS);
    memory.leadClosedDay[customer] = day + Math.ceil(delayMs / DAY_MS) + 1;
    if (this.random.happens(NEVER_ANSWERED_SHARE)) return;
    const value = won
      ? { value: euros(100 * Math.round(this.random.logNormal(form.budget ?? 4000, 0.4))) }
      : {};
    calendar.add(atMs + delayMs, 'sales_outcome', customer, { won, ...value });
  }

  private fillForm(account: AccountTruth, day: number): LeadForm {
    const { random } = this;
    const isLate = day > 0.85 * this.company.plan.days;
    const rare = isLate && random.happens(0.08);
    const timeline = random.pick(TIMELINES);
    return {
      ...(random.happens(0.87)
        ? { companySize: Math.max(1, Math.round(account.employees * random.logNormal(1, 0.15))) }
        : {}),
      ...(random.happens(0.94)
        ? { industry: rare ? random.pick(RARE_INDUSTRIES) : this.industryOf(account) }
        : {}),
      ...(random.happens(0.92) ? { jobTitle: random.pick(TITLES) } : {}),
      source: random.pick(SOURCES),
      ...(random.happens(0.65)
        ? {
            budget:
              100 * Math.max(1, Math.round(random.logNormal(30 * Math.sqrt(account.employees / 90), 0.8))),
          }
        : {}),
      ...(random.happens(0.8) ? { timeline } : {}),
      country: account.country,
      messageLength: random.happens(0.12) ? 0 : Math.round(random.logNormal(140, 0.8)),
      requestedDemo: random.happens(0.3),
      phoneGiven: random.happens(0.45),
      freeMail: random.happens(account.employees < 20 ? 0.4 : 0.1),
    };
  }

  private industryOf(account: AccountTruth): string {
    return this.random.happens(0.04) ? this.random.pick(INDUSTRIES) : account.industry;
  }
}
