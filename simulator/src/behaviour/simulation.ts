import type { CompanyPlan } from '../company-plan.js';
import { type Company, foundCompany } from './company.js';
import type { PendingEvent } from './event-calendar.js';
import { type DrawnLead, Leads } from './leads.js';
import { Newsletters } from './newsletters.js';
import { Pricing } from './prices.js';
import { Profiles } from './profiles.js';
import { type DrawnRetention, Retention } from './retention.js';
import { Shopping } from './shopping.js';
import { planVolume } from './volume.js';

/** Told what was drawn, for whoever keeps the truth. */
export interface Observer {
  lead?: (lead: DrawnLead) => void;
  retention?: (retention: DrawnRetention) => void;
}

const ignore = (): void => undefined;

/** A company lived through day by day; only the events of days to come are held in memory. */
export class Simulation {
  readonly company: Company;
  private readonly actors: readonly { openDay(day: number): void }[];

  constructor(plan: CompanyPlan, observe: Observer = {}) {
    this.company = foundCompany(plan);
    const volume = planVolume(this.company);
    const shopping = new Shopping(this.company, volume.sessionsPerActivity);
    this.actors = [
      new Pricing(this.company),
      new Profiles(this.company),
      new Retention(this.company, observe.retention ?? ignore),
      new Newsletters(this.company, shopping, volume.mailsPerWeek),
      shopping,
      new Leads(this.company, observe.lead ?? ignore),
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
