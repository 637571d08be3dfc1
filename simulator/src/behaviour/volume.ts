import { customerTypeAt } from '../truth/customer-types.js';
import type { Company } from './company.js';

/** How often things happen, so that the company as a whole reaches the planned number of events. */
export interface Volume {
  /** Multiplies a customer's activity: sessions on an average day. */
  sessionsPerActivity: number;
  /** Mails a week to a subscriber of frequency 1. */
  mailsPerWeek: number;
}

/** Share of sessions that look at products, and orders a session of the usual conversion (measured on simulated companies). */
const VIEWING_SHARE = 0.83;
const ORDERS_PER_SESSION = 0.2;
const EVENTS_PER_BOT_SESSION = 26;
/** Events that follow from one mail: sent, opened, clicked, and the visit after it. */
const EVENTS_PER_MAIL = 1.45;
const MAIL_SHARE = 0.19;
const MAX_MAILS_PER_WEEK = 4;

export function planVolume({ plan, population }: Company): Volume {
  let sessionEvents = 0;
  let mailDays = 0;
  for (let customer = 0; customer < plan.customers; customer++) {
    if (population.isUnseen[customer] === 1) continue;
    const days = presentDays(
      plan.days,
      population.joinDay[customer] ?? 0,
      population.leaveDay[customer] ?? 0,
    );
    const perSession =
      population.isBot[customer] === 1
        ? EVENTS_PER_BOT_SESSION
        : eventsPerSession(population.type[customer] ?? 0);
    sessionEvents += days * (population.activity[customer] ?? 0) * perSession;
    mailDays += days * (population.emailFrequency[customer] ?? 0);
  }
  const wanted = Math.max(0, (plan.eventsPerCustomer - 1.5) * plan.customers);
  const mailsPerWeek =
    mailDays > 0 ? Math.min(MAX_MAILS_PER_WEEK, (7 * wanted * MAIL_SHARE) / (mailDays * EVENTS_PER_MAIL)) : 0;
  const mailEvents = (mailsPerWeek / 7) * mailDays * EVENTS_PER_MAIL;
  return { mailsPerWeek, sessionsPerActivity: sessionEvents > 0 ? (wanted - mailEvents) / sessionEvents : 0 };
}

/** Mean number of events of one session: the visit, its views and orders. */
function eventsPerSession(type: number): number {
  const { goOn, conversion } = customerTypeAt(type);
  return 1 + VIEWING_SHARE / (1 - goOn) + ORDERS_PER_SESSION * Math.min(2, conversion);
}

function presentDays(days: number, join: number, leave: number): number {
  return Math.max(0, Math.min(days, leave) - join);
}
