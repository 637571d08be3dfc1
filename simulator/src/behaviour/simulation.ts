import type { CompanyPlan } from '../company-plan.js';
import { type Company, foundCompany } from './company.js';
import type { PendingEvent } from './event-calendar.js';
import { type DrawnLead, Leads } from './leads.js';
import { Newsletters } from './newsletters.js';
import { Pricing } from './prices.js';
import { Profiles } from './profiles.js';
import { Shopping } from './shopping.js';
import { planVolume } from './volume.js';

/** A company lived through day by day; only the events of days to come are held in memory. */
export class Simulation {
  readonly company: Company;
  private readonly actors: readonly { openDay(day: number): void }[];

  constructor(plan: CompanyPlan, observeLead: (lead: DrawnLead) => void = () => undefined) {
    this.company = foundCompany(plan);
    const volume = planVolume(this.company);
    const shopping = new Shopping(this.company, volume.sessionsPerActivity);
    this.actors = [
      new Pricing(this.company),
      new Profiles(this.company),
      new Newsletters(this.company, shopping, volume.mailsPerWeek),
      shopping,
      new Leads(this.company, observeLead),
    ];
  }

  /** The events of each day, sorted by time. */
  *days(): Generator<{ day: number; events: PendingEvent[] }> {
    for (let day = 0; day < this.company.plan.days; day++) {
      for (const actor of this.actors) actor.openDay(day);
      yield { day, events: this.company.calendar.take(day) };
    }
  }
}
