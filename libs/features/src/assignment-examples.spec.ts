import { describe, expect, it } from 'vitest';
import { assignmentExamples } from './assignment-examples.js';
import { DAY_MS } from './decayed-counter.js';
import type { StoredEvent } from './stored-event.js';

const START = Date.UTC(2026, 0, 1);
const until = new Date(START + 100 * DAY_MS);

function at(day: number, type: string, properties: Record<string, unknown> = {}): StoredEvent {
  const id = `${type}-${day}`;
  return {
    _id: `demo:${id}`,
    tenantId: 'demo',
    customerId: 'c',
    type,
    at: new Date(START + day * DAY_MS),
    properties,
  };
}
const order = (day: number) =>
  at(day, 'order', {
    orderId: `o${day}`,
    currency: 'EUR',
    lines: [{ productId: 'p', quantity: 2, unitPrice: '3.50' }],
  });
const mailed = (day: number) =>
  at(day, 'campaign_assigned', {
    campaignId: 'r',
    action: 'mail',
    control: false,
    choices: 'none,mail',
    channel: 'email',
    cost: '0.90',
  });

describe('assignmentExamples', () => {
  it('sees what was strictly before the assignment, not the assignment nor what came with it', () => {
    const [example] = assignmentExamples([at(1, 'page_visit'), at(10, 'email_sent'), mailed(10), order(12)], {
      horizonDays: 28,
      until,
    });
    expect(example).toMatchObject({
      action: 'mail',
      cost: 0.9,
      channel: 'email',
      label: 1,
      orderValue: 7,
      currency: 'EUR',
    });
    expect(example?.features).toMatchObject({
      'count.email_sent.total': 0,
      'count.order.total': 0,
      'count.page_visit.total': 1,
    });
  });

  it('counts orders from the instant of the assignment to just before the end of the horizon', () => {
    const labels = [9.999, 10, 37.999, 38].map(
      (day) => assignmentExamples([mailed(10), order(day)], { horizonDays: 28, until })[0]?.label,
    );
    expect(labels).toEqual([0, 1, 1, 0]);
  });

  it('leaves out an assignment whose horizon is not over', () => {
    expect(assignmentExamples([mailed(72)], { horizonDays: 28, until })).toHaveLength(1);
    expect(assignmentExamples([mailed(72.01)], { horizonDays: 28, until })).toHaveLength(0);
  });

  it('reads control from the flag, and the possible arms from the arm where they are not listed', () => {
    const control = at(1, 'campaign_assigned', { campaignId: 'r', action: 'mail', control: true });
    const bare = at(2, 'campaign_assigned', { campaignId: 'r', action: 'call' });
    const examples = assignmentExamples([control, bare], { horizonDays: 1, until });
    expect(examples.map(({ action, choices }) => [action, choices])).toEqual([
      ['none', ['none']],
      ['call', ['none', 'call']],
    ]);
  });

  it('refuses a horizon that is not positive', () => {
    expect(() => assignmentExamples([], { horizonDays: 0, until })).toThrow(RangeError);
  });
});
