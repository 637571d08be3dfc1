import { accountRef, DAY_MS } from '../company-plan.js';
import { RandomStream } from '../random/random-stream.js';
import { COUNTRIES } from '../truth/accounts.js';
import type { Company } from './company.js';
import { drawOfficeTime, drawShopTime } from './season.js';

const AGE_BANDS = ['18-24', '25-34', '35-44', '45-54', '55-64', '65+'] as const;
const SIGNUP_SOURCES = ['shop', 'shop', 'app', 'store', 'fair'] as const;
const GUEST_SHARE = 0.06;
const SIX_HOURS_MS = 6 * 60 * 60 * 1000;

/** Traits of customers as they join, and firmographics of accounts; some are missing, and some values appear late. */
export class Profiles {
  private readonly random: RandomStream;
  private readonly joiners: ReadonlyMap<number, readonly number[]>;

  constructor(private readonly company: Company) {
    this.random = new RandomStream(`${company.plan.seed}/profiles`);
    this.joiners = this.groupByJoinDay();
  }

  openDay(day: number): void {
    const { accounts, calendar, startMs } = this.company;
    const dayStart = startMs + day * DAY_MS;
    accounts.forEach((_, account) => {
      if (day === 0)
        calendar.add(
          dayStart + this.random.below(SIX_HOURS_MS),
          'account_update',
          null,
          this.firmographics(account),
        );
      else if (this.random.happens(0.002))
        calendar.add(
          dayStart + drawOfficeTime(this.random),
          'account_update',
          null,
          this.firmographics(account),
        );
    });
    for (const customer of this.joiners.get(day) ?? []) {
      if (this.random.happens(GUEST_SHARE)) continue;
      const offset = day === 0 ? this.random.below(SIX_HOURS_MS) : drawShopTime(this.random);
      calendar.add(dayStart + offset, 'profile_update', customer, this.traits(customer, day));
    }
  }

  private groupByJoinDay(): Map<number, number[]> {
    const { joinDay, isUnseen } = this.company.population;
    const groups = new Map<number, number[]>();
    joinDay.forEach((day, customer) => {
      if (isUnseen[customer] === 1) return;
      const group = groups.get(day);
      if (group) group.push(customer);
      else groups.set(day, [customer]);
    });
    return groups;
  }

  private traits(customer: number, day: number): Record<string, unknown> {
    const { memory, plan, population } = this.company;
    const { random } = this;
    const account = population.account[customer] ?? -1;
    const isLate = day > 0.8 * plan.days;
    return {
      ...(account >= 0 ? { accountRef: accountRef(account) } : {}),
      ...(random.happens(0.9) ? { country: random.happens(0.55) ? 'DE' : random.pick(COUNTRIES) } : {}),
      ...(random.happens(0.7) ? { ageBand: random.pick(AGE_BANDS) } : {}),
      ...(random.happens(0.85)
        ? { signupSource: isLate && random.happens(0.15) ? 'podcast' : random.pick(SIGNUP_SOURCES) }
        : {}),
      newsletter: memory.isSubscribed[customer] === 1,
    };
  }

  private firmographics(account: number): Record<string, unknown> {
    const truth = this.company.accounts[account];
    return {
      accountRef: accountRef(account),
      name: truth?.name,
      ...(this.random.happens(0.94) ? { industry: truth?.industry } : {}),
      country: truth?.country,
      ...(this.random.happens(0.85) ? { employees: truth?.employees } : {}),
    };
  }
}
