import { DAY_MS } from './decayed-counter.js';
import { orderLinesOf, type StoredEvent } from './stored-event.js';

/**
 * Days (UTC, counted from 1970) on which a customer bought, as far as lifetime value needs them. Orders of one day are one
 * purchase. A day of negative net value is a refund and no purchase: it lowers the value of the purchases before it, newest first.
 * The newest day stays open, since more may be ordered on it.
 */
export interface PurchaseDays {
  /** purchase days before the open one, and the first and last of them */
  count: number;
  firstDay: number | null;
  lastDay: number | null;
  /** value of the first of them, and of all after it, in major units, net of refunds */
  firstValue: number;
  repeatValue: number;
  openDay: number;
  openValue: number;
  /** ISO 4217 of the newest order that names one */
  currency: string | null;
}

/** A customer's purchases as of an instant, in days. */
export interface PurchaseSummary {
  /** purchase days after the first */
  repeats: number;
  /** from the first purchase to the last; 0 without a repeat */
  recencyDays: number;
  ageDays: number;
  /** mean value of a purchase day after the first; null without a repeat */
  meanRepeatValue: number | null;
  /** mean value of all purchase days */
  meanValue: number;
  currency: string | null;
}

/** Below rounding a day's value is 0, which is a purchase and no refund. */
const ROUNDING = 1e-9;

/** Value of an order in major units; lines without a price count as 0. */
export function orderValueOf(event: StoredEvent): number {
  return orderLinesOf(event).reduce((sum, line) => sum + line.quantity * (line.unitPrice ?? 0), 0);
}

/** Days since 1970 in UTC. */
export function purchaseDayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}

/** What an order adds; `at` in milliseconds since 1970. */
export interface Purchase {
  at: number;
  value: number;
  currency?: string | null;
}

/** @param purchase  not before the open day; `days` is not changed */
export function addPurchase(days: PurchaseDays | null, purchase: Purchase): PurchaseDays {
  const { at, value } = purchase;
  const day = purchaseDayOf(at);
  const currency = purchase.currency ?? days?.currency ?? null;
  if (days === null) {
    return {
      count: 0,
      firstDay: null,
      lastDay: null,
      firstValue: 0,
      repeatValue: 0,
      openDay: day,
      openValue: value,
      currency,
    };
  }
  if (day === days.openDay) return { ...days, openValue: days.openValue + value, currency };
  return { ...closed(days), openDay: day, openValue: value, currency };
}

/** Null without a purchase. @param days  undefined in a state that an older fold wrote */
export function purchaseSummary(days: PurchaseDays | null | undefined, at: Date): PurchaseSummary | null {
  if (!days) return null;
  const { count, firstDay, lastDay, firstValue, repeatValue } = closed(days);
  if (firstDay === null || lastDay === null) return null;
  return {
    repeats: count - 1,
    recencyDays: lastDay - firstDay,
    ageDays: Math.max(lastDay, purchaseDayOf(at.getTime())) - firstDay,
    meanRepeatValue: count === 1 ? null : repeatValue / (count - 1),
    meanValue: (firstValue + repeatValue) / count,
    currency: days.currency,
  };
}

/** The open day counted as a purchase or as a refund. */
function closed(days: PurchaseDays): PurchaseDays {
  const { openDay, openValue } = days;
  if (openValue < -ROUNDING) {
    const refunded = Math.min(days.repeatValue, -openValue);
    return {
      ...days,
      repeatValue: days.repeatValue - refunded,
      firstValue: Math.max(0, days.firstValue + openValue + refunded),
    };
  }
  const value = Math.abs(openValue) <= ROUNDING ? 0 : openValue;
  const isFirst = days.count === 0;
  return {
    ...days,
    count: days.count + 1,
    firstDay: days.firstDay ?? openDay,
    lastDay: openDay,
    firstValue: isFirst ? value : days.firstValue,
    repeatValue: isFirst ? 0 : days.repeatValue + value,
  };
}
