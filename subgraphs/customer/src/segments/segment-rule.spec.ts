import { describe, expect, it } from 'vitest';
import { meetsRule, parseRule, type SegmentCondition } from './segment-rule.js';

const features = { 'count.order.total': 3, 'trait.city': 'Bern', 'trait.vip': 1, 'recency.order.days': null };
const meets = (feature: string, is: SegmentCondition['is'], value: SegmentCondition['value']) =>
  meetsRule(parseRule({ all: [{ feature, is, value }] }), features);

describe('a rule', () => {
  it('compares numbers with bounds inclusive or not', () => {
    expect([meets('count.order.total', 'gte', 3), meets('count.order.total', 'gt', 3)]).toEqual([
      true,
      false,
    ]);
    expect([meets('count.order.total', 'lte', 3), meets('count.order.total', 'lt', 3)]).toEqual([
      true,
      false,
    ]);
  });

  it('compares texts and booleans, alone and in lists', () => {
    expect([meets('trait.city', 'eq', 'Bern'), meets('trait.city', 'ne', 'Bern')]).toEqual([true, false]);
    expect([meets('trait.city', 'in', ['Basel', 'Bern']), meets('trait.city', 'in', ['Basel'])]).toEqual([
      true,
      false,
    ]);
    expect([meets('trait.vip', 'eq', true), meets('trait.vip', 'eq', false)]).toEqual([true, false]);
  });

  it('takes an unknown value for no number: only ne and known say something of it', () => {
    expect(meets('recency.order.days', 'lt', 1e9)).toBe(false);
    expect(meets('recency.order.days', 'gt', -1)).toBe(false);
    expect(meets('recency.order.days', 'ne', 3)).toBe(true);
    expect([meets('recency.order.days', 'known', false), meets('trait.never', 'known', true)]).toEqual([
      true,
      false,
    ]);
  });

  it('needs all of its conditions', () => {
    const rule = parseRule({
      all: [
        { feature: 'count.order.total', is: 'gt', value: 1 },
        { feature: 'trait.city', is: 'eq', value: 'Basel' },
      ],
    });
    expect(meetsRule(rule, features)).toBe(false);
    expect(meetsRule({ all: rule.all.slice(0, 1) }, features)).toBe(true);
  });

  it('refuses more than it knows', () => {
    const condition = { feature: 'count.order.total', is: 'gt', value: 1 };
    expect(() => parseRule({ all: [condition], any: [] })).toThrow(/a rule is/);
    expect(() => parseRule({ all: Array.from({ length: 21 }, () => condition) })).toThrow(/a rule is/);
    expect(() => parseRule({ all: [{ ...condition, is: 'like' }] })).toThrow(/a rule is/);
    expect(() => parseRule({ all: [{ ...condition, is: 'known' }] })).toThrow(/true or false/);
  });
});
