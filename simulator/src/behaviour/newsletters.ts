import { DAY_MS } from '../company-plan.js';
import { RandomStream } from '../random/random-stream.js';
import { CATEGORIES } from '../truth/categories.js';
import { tasteShares } from '../truth/customers.js';
import { type Company, isPresent } from './company.js';
import { weekday } from './season.js';
import type { Shopping } from './shopping.js';

const HOUR_MS = 60 * 60 * 1000;
/** Weekdays with a mailing, Sunday first: Tuesday and Friday. */
const MAIL_DAYS = [2, 5];

interface Return {
  customer: number;
  atMs: number;
  category: number;
}

/** Mailings about one category each; too many of them tire, and a click brings the customer back to the shop. */
export class Newsletters {
  private readonly random: RandomStream;
  private readonly returns = new Map<number, Return[]>();
  private mailing = 0;

  constructor(
    private readonly company: Company,
    private readonly shopping: Shopping,
    private readonly mailsPerWeek: number,
  ) {
    this.random = new RandomStream(`${company.plan.seed}/newsletters`);
  }

  openDay(day: number): void {
    const { plan, population, memory, startMs } = this.company;
    for (const visit of this.returns.get(day) ?? []) {
      if (isPresent(this.company, visit.customer, day))
        this.shopping.visit(visit.customer, day, { ...visit, channel: 'email' });
    }
    this.returns.delete(day);
    const dayStart = startMs + day * DAY_MS;
    if (!MAIL_DAYS.includes(weekday(dayStart))) return;
    this.mailing++;
    const category = this.random.below(CATEGORIES.length);
    const share = this.mailsPerWeek / MAIL_DAYS.length;
    for (let customer = 0; customer < plan.customers; customer++) {
      if (memory.isSubscribed[customer] === 0 || !isPresent(this.company, customer, day)) continue;
      const mails = this.random.poisson(share * (population.emailFrequency[customer] ?? 0));
      for (let i = 0; i < mails; i++) this.send(customer, day, { category, round: i });
    }
  }

  private send(
    customer: number,
    day: number,
    { category, round }: { category: number; round: number },
  ): void {
    const { calendar, memory, population, startMs } = this.company;
    const atMs = startMs + day * DAY_MS + Math.floor((8.5 + 3 * round + 0.7 * this.random.next()) * HOUR_MS);
    const mail = {
      messageId: `m-${this.mailing}-${round + 1}-${customer + 1}`,
      campaignId: `newsletter-${this.mailing}`,
    };
    calendar.add(atMs, 'email_sent', customer, mail);
    const fatigue = memory.fatigue.read(customer, day);
    memory.fatigue.add(customer, day);
    memory.mails.add(customer, day);
    const interest = (tasteShares(population, customer)[category] ?? 0) * CATEGORIES.length;
    const logit =
      -0.9 + 0.7 * (population.emailAffinity[customer] ?? 0) + 0.35 * Math.min(3, interest) - 0.55 * fatigue;
    if (this.random.happens(0.002 * Math.exp(Math.min(3, fatigue)))) this.unsubscribe(customer, atMs);
    if (!this.random.happens(1 / (1 + Math.exp(-logit)))) return;
    const openedMs = atMs + Math.floor(this.random.exponential(5 * HOUR_MS)) + 20_000;
    calendar.add(openedMs, 'email_open', customer, mail);
    memory.opens.add(customer, day);
    if (!this.random.happens(Math.min(0.6, 0.07 + 0.06 * interest))) return;
    const clickedMs = openedMs + 15_000;
    calendar.add(clickedMs, 'email_click', customer, mail);
    memory.clicks.add(customer, day);
    this.bringBack(day, { customer, atMs: clickedMs + 1_500, category });
  }

  /** Today at once; on a later day when that day comes, at its prices. */
  private bringBack(day: number, visit: Return): void {
    const visitDay = Math.floor((visit.atMs - this.company.startMs) / DAY_MS);
    if (visitDay === day) return this.shopping.visit(visit.customer, day, { ...visit, channel: 'email' });
    const waiting = this.returns.get(visitDay);
    if (waiting) waiting.push(visit);
    else this.returns.set(visitDay, [visit]);
  }

  private unsubscribe(customer: number, sentMs: number): void {
    this.company.memory.isSubscribed[customer] = 0;
    const atMs = sentMs + 60_000 + Math.floor(this.random.exponential(2 * HOUR_MS));
    this.company.calendar.add(atMs, 'profile_update', customer, { newsletter: false });
  }
}
