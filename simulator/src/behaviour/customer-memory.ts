const VIEW_HALF_LIFE_DAYS = 14;
const CLICK_HALF_LIFE_DAYS = 21;
const FATIGUE_HALF_LIFE_DAYS = 7;
const MAIL_HALF_LIFE_DAYS = 30;

/** A sum that loses half of itself every so many days, one a customer. */
export class DecayingCounts {
  private readonly value: Float32Array;
  private readonly asOfDay: Float32Array;

  constructor(
    customers: number,
    private readonly halfLifeDays: number,
  ) {
    this.value = new Float32Array(customers);
    this.asOfDay = new Float32Array(customers);
  }

  read(customer: number, day: number): number {
    const age = Math.max(0, day - (this.asOfDay[customer] ?? 0));
    return (this.value[customer] ?? 0) * 2 ** (-age / this.halfLifeDays);
  }

  add(customer: number, day: number): void {
    this.value[customer] = this.read(customer, day) + 1;
    this.asOfDay[customer] = day;
  }
}

/** What the customers have done so far, as far as it changes what they do next. */
export class CustomerMemory {
  readonly views: DecayingCounts;
  readonly clicks: DecayingCounts;
  /** Tiredness of mails: one more each mail. */
  readonly fatigue: DecayingCounts;
  /** Mails sent, and those opened. */
  readonly mails: DecayingCounts;
  readonly opens: DecayingCounts;
  readonly orders: Int32Array;
  /** Of the last order that came of itself, −1 before the first. */
  readonly lastOrderDay: Int32Array;
  /** Orders that the shop has got, those that an action brought about among them. */
  readonly placedOrders: Int32Array;
  /** Of the last of them, −1 before the first. */
  readonly lastPlacedDay: Int32Array;
  /** Orders before this day do not happen: a campaign put the customer off. */
  readonly putOffUntilDay: Int32Array;
  readonly isSubscribed: Uint8Array;
  /** The consumable bought last, −1 for none, and the day it was bought. */
  readonly refillProduct: Int32Array;
  readonly refillDay: Int32Array;
  /** No new lead form before this day. */
  readonly leadClosedDay: Int32Array;

  constructor(customers: number, subscribed: (customer: number) => boolean) {
    this.views = new DecayingCounts(customers, VIEW_HALF_LIFE_DAYS);
    this.clicks = new DecayingCounts(customers, CLICK_HALF_LIFE_DAYS);
    this.fatigue = new DecayingCounts(customers, FATIGUE_HALF_LIFE_DAYS);
    this.mails = new DecayingCounts(customers, MAIL_HALF_LIFE_DAYS);
    this.opens = new DecayingCounts(customers, MAIL_HALF_LIFE_DAYS);
    this.orders = new Int32Array(customers);
    this.lastOrderDay = new Int32Array(customers).fill(-1);
    this.placedOrders = new Int32Array(customers);
    this.lastPlacedDay = new Int32Array(customers).fill(-1);
    this.putOffUntilDay = new Int32Array(customers);
    this.isSubscribed = Uint8Array.from({ length: customers }, (_, customer) =>
      subscribed(customer) ? 1 : 0,
    );
    this.refillProduct = new Int32Array(customers).fill(-1);
    this.refillDay = new Int32Array(customers);
    this.leadClosedDay = new Int32Array(customers);
  }

  placeOrder(customer: number, day: number): void {
    this.placedOrders[customer] = (this.placedOrders[customer] ?? 0) + 1;
    this.lastPlacedDay[customer] = day;
  }
}
