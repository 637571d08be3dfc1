import type { RandomStream } from '../random/random-stream.js';

/** What sort of customer somebody really is; nowhere in the data, only in how they behave. */
export interface CustomerType {
  name: string;
  /** Share among private customers, and among the contacts of accounts; each sums to 1. */
  share: readonly [privateCustomer: number, contact: number];
  /** Factors on the drawn traits of {@link PopulationTruth}. */
  activity: number;
  conversion: number;
  priceSensitivity: number;
  /** Added to the drawn affinity. */
  emailAffinity: number;
  /** Chance to look at one more product, after each. */
  goOn: number;
  /** Factor on the time spent on each product. */
  pace: number;
  /** Interest in consumables relative to durable goods, a factor. */
  consumables: number;
  /** How much dearer (or, below 0, cheaper) things of a category draw the eye, per unit of ln(list price). */
  dearness: number;
  /** Mean units beyond the usual ones of an order line. */
  bulk: number;
  /** Where visits come from and on what they are made; one is drawn, so repeats weigh. */
  channels: readonly string[];
  devices: readonly string[];
}

export const CUSTOMER_TYPES: readonly CustomerType[] = [
  {
    name: 'loyal regular',
    share: [0.3, 0.1],
    activity: 1.2,
    conversion: 2,
    priceSensitivity: 0.95,
    emailAffinity: 0.9,
    goOn: 0.3,
    pace: 0.8,
    consumables: 5,
    dearness: -0.3,
    bulk: 0,
    channels: ['direct', 'direct', 'direct', 'organic_search', 'referral'],
    devices: ['mobile', 'mobile', 'desktop', 'mobile', 'tablet', 'desktop'],
  },
  {
    name: 'bargain hunter',
    share: [0.25, 0.1],
    activity: 1.1,
    conversion: 0.9,
    priceSensitivity: 1.2,
    emailAffinity: 0.3,
    goOn: 0.76,
    pace: 0.35,
    consumables: 1.5,
    dearness: -1.6,
    bulk: 0,
    channels: ['paid_search', 'paid_search', 'organic_search', 'referral', 'direct'],
    devices: ['mobile', 'mobile', 'desktop', 'mobile', 'tablet', 'desktop'],
  },
  {
    name: 'gift buyer',
    share: [0.2, 0.1],
    activity: 1,
    conversion: 2,
    priceSensitivity: 0.9,
    emailAffinity: -0.6,
    goOn: 0.68,
    pace: 2.8,
    consumables: 0.12,
    dearness: 1.6,
    bulk: 0,
    channels: ['organic_search', 'organic_search', 'paid_search', 'social', 'direct'],
    devices: ['mobile', 'mobile', 'desktop', 'tablet', 'tablet', 'desktop'],
  },
  {
    name: 'browser',
    share: [0.25, 0.1],
    activity: 0.8,
    conversion: 0.03,
    priceSensitivity: 1.1,
    emailAffinity: -0.3,
    goOn: 0.9,
    pace: 0.9,
    consumables: 0.7,
    dearness: 0.4,
    bulk: 0,
    channels: ['social', 'social', 'social', 'organic_search', 'referral'],
    devices: ['mobile', 'mobile', 'mobile', 'mobile', 'tablet', 'mobile'],
  },
  {
    name: 'business buyer',
    share: [0, 0.6],
    activity: 1.3,
    conversion: 2.2,
    priceSensitivity: 0.9,
    emailAffinity: 0,
    goOn: 0.35,
    pace: 0.25,
    consumables: 2.5,
    dearness: 0.4,
    bulk: 6,
    channels: ['direct', 'direct', 'organic_search', 'referral'],
    devices: ['desktop', 'desktop', 'desktop', 'mobile', 'desktop', 'desktop'],
  },
];

/** Index of a type, by the shares of private customers or of contacts. */
export function drawCustomerType(random: RandomStream, isContact: boolean): number {
  let left = random.next();
  for (const [index, { share }] of CUSTOMER_TYPES.entries()) {
    left -= share[isContact ? 1 : 0];
    if (left < 0) return index;
  }
  return 0;
}

export function customerTypeAt(index: number): CustomerType {
  const type = CUSTOMER_TYPES[index];
  if (!type) throw new RangeError(`no customer type ${index}`);
  return type;
}
