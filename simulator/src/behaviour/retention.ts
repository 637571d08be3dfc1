import { CURRENCY, DAY_MS, euros } from '../company-plan.js';
import { RandomStream } from '../random/random-stream.js';
import {
  type Persuasion,
  persuasionOf,
  RETENTION_ACTIONS,
  type RetentionAction,
} from '../truth/persuasion.js';
import { categoryOf } from '../truth/propensities.js';
import { type Company, isPresent } from './company.js';
import { drawShopTime } from './season.js';

/** Days after the assignment in which an order counts, and between two campaigns. */
export const RETENTION_HORIZON_DAYS = 14;
const FIRST_DAY = 30;
/** Of a customer who was seen lately, decayed views; who is below has gone. */
const SEEN = 0.02;

/** One assignment, and what really stood behind it, for whoever keeps the truth. */
export interface DrawnRetention {
  customer: number;
  campaignId: string;
  atMs: number;
  /** null: control */
  action: RetentionAction | null;
  persuasion: Record<RetentionAction, Persuasion>;
  /** Of the horizon, until the customer leaves for good; 0 for who has left already. */
  daysLeft: number;
  /** Whether an order would have come without any action; known only here. */
  ordersAnyway: boolean;
}

interface Open {
  customer: number;
  day: number;
  drawn: DrawnRetention;
}

/**
 * Every two weeks a campaign draws lots among the customers there are: nothing, a mail with a discount (only who takes mails), or
 * a call, each equally likely. It has a stream of its own and leaves the draws of everybody else as they are: an order that an
 * action brings about is added, and orders that it prevents are left out when they come.
 */
export class Retention {
  private readonly random: RandomStream;
  private readonly moved = new Map<number, number[]>();
  private open: Open[] = [];
  private campaign = 0;

  constructor(
    private readonly company: Company,
    private readonly observe: (retention: DrawnRetention) => void,
  ) {
    this.random = new RandomStream(`${company.plan.seed}/retention`);
  }

  openDay(day: number): void {
    this.close(day);
    for (const customer of this.moved.get(day) ?? []) this.order(customer, day);
    this.moved.delete(day);
    const { plan } = this.company;
    const isCampaignDay = day >= FIRST_DAY && (day - FIRST_DAY) % RETENTION_HORIZON_DAYS === 0;
    if (!isCampaignDay || day + RETENTION_HORIZON_DAYS > plan.days) return;
    this.campaign++;
    for (let customer = 0; customer < plan.customers; customer++)
      if (this.isKnown(customer, day)) this.assign(customer, day);
  }

  private isKnown(customer: number, day: number): boolean {
    const { memory, population } = this.company;
    const hasJoined = day > (population.joinDay[customer] ?? 0) && population.isUnseen[customer] === 0;
    return hasJoined && population.activity[customer] !== 0 && memory.views.read(customer, day) > SEEN;
  }

  private assign(customer: number, day: number): void {
    const { calendar, memory, startMs } = this.company;
    const choices = RETENTION_ACTIONS.filter(
      ({ channel }) => channel !== 'email' || memory.isSubscribed[customer] === 1,
    );
    const chosen = choices[this.random.below(choices.length + 1) - 1];
    const campaignId = `retention-${this.campaign}`;
    const atMs = startMs + day * DAY_MS;
    calendar.add(atMs, 'campaign_assigned', customer, {
      campaignId,
      goal: 'retain',
      action: chosen?.id ?? 'none',
      control: chosen === undefined,
      choices: ['none', ...choices.map(({ id }) => id)].join(','),
      ...(chosen && { channel: chosen.channel, cost: chosen.cost, currency: CURRENCY }),
    });
    const persuasion = this.persuasion(customer, day);
    if (chosen?.channel === 'email') {
      const messageId = `r-${this.campaign}-${customer + 1}`;
      calendar.add(atMs + 60_000, 'email_sent', customer, { messageId, campaignId });
      memory.mails.add(customer, day);
    }
    const daysLeft = daysBeforeLeaving(this.company, customer, day);
    const action = chosen?.id ?? null;
    const drawn = { customer, campaignId, atMs, action, persuasion, daysLeft, ordersAnyway: false };
    this.open.push({ customer, day, drawn });
    const lot = this.random.next();
    if (chosen) this.act(customer, day, { lot, ...persuasion[chosen.id] });
  }

  private persuasion(customer: number, day: number): Record<RetentionAction, Persuasion> {
    const { memory, population } = this.company;
    if (population.isBot[customer] === 1)
      return { 'discount-mail': { gain: 0, loss: 0 }, call: { gain: 0, loss: 0 } };
    const mails = memory.mails.read(customer, day);
    const lastOrder = memory.lastPlacedDay[customer] ?? -1;
    const context = {
      openShare: mails < 0.01 ? 0.3 : Math.min(1, memory.opens.read(customer, day) / mails),
      fatigue: memory.fatigue.read(customer, day),
      daysSinceOrder: lastOrder < 0 ? 90 : day - lastOrder,
      orders: memory.placedOrders[customer] ?? 0,
      recentViews: memory.views.read(customer, day),
    };
    return { 'discount-mail': persuasionOf('discount-mail', context), call: persuasionOf('call', context) };
  }

  private act(customer: number, day: number, { lot, gain, loss }: Persuasion & { lot: number }): void {
    if (lot >= 1 - loss) this.company.memory.putOffUntilDay[customer] = day + RETENTION_HORIZON_DAYS;
    if (lot >= gain) return;
    const when = day + 1 + this.random.below(RETENTION_HORIZON_DAYS - 2);
    const waiting = this.moved.get(when);
    if (waiting) waiting.push(customer);
    else this.moved.set(when, [customer]);
  }

  /** What customers would have done is known once the horizon is over. */
  private close(day: number): void {
    const isOver = (open: Open): boolean => day >= open.day + RETENTION_HORIZON_DAYS;
    for (const { customer, day: from, drawn } of this.open.filter(isOver)) {
      const last = this.company.memory.lastOrderDay[customer] ?? -1;
      this.observe({ ...drawn, ordersAnyway: last >= from });
    }
    this.open = this.open.filter((open) => !isOver(open));
  }

  /** A visit with one view and one order, of a product that suits the customer. */
  private order(customer: number, day: number): void {
    const { assortment, calendar, memory, population, prices, startMs } = this.company;
    const entry = assortment.byCategory[categoryOf(population, customer, this.random.next())];
    const index = entry ? (entry.members[entry.draw.draw(this.random)] ?? 0) : 0;
    const product = assortment.products[index];
    const atMs = startMs + day * DAY_MS + Math.floor(drawShopTime(this.random) * 0.99);
    if (!product || product.launchDay > day) return this.retry(customer, day);
    memory.placeOrder(customer, day);
    const price = { unitPrice: euros(prices.current[index] ?? 0), currency: CURRENCY };
    calendar.add(atMs, 'page_visit', customer, { channel: 'direct', device: 'mobile', durationSeconds: 90 });
    calendar.add(atMs + 20_000, 'product_view', customer, {
      productId: product.id,
      price: price.unitPrice,
      currency: price.currency,
    });
    calendar.add(atMs + 80_000, 'order', customer, {
      orderId: `o-${customer + 1}-r${this.campaign}`,
      currency: price.currency,
      lines: [{ productId: product.id, quantity: 1, unitPrice: price.unitPrice }],
    });
  }

  /** The product was not on sale yet: another one, the same day. */
  private retry(customer: number, day: number): void {
    if (this.company.assortment.products.some(({ launchDay }) => launchDay <= day)) this.order(customer, day);
  }
}

function daysBeforeLeaving({ population }: Company, customer: number, day: number): number {
  return Math.min(RETENTION_HORIZON_DAYS, Math.max(0, (population.leaveDay[customer] ?? 0) - day));
}

/** Whether orders of the customer are left out on a day, since an action put them off. */
export function isPutOff(company: Company, customer: number, day: number): boolean {
  return day < (company.memory.putOffUntilDay[customer] ?? 0) && isPresent(company, customer, day);
}
