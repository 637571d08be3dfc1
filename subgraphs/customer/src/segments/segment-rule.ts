import { DomainError } from '@sextant/domain';
import { emptyState, featureVector, type FeatureVector } from '@sextant/features';
import { z } from 'zod';

const OPERATORS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'known'] as const;
const MAX_CONDITIONS = 20;

/** Conditions over features by name, all of which hold. */
export interface SegmentRule {
  all: SegmentCondition[];
}

export interface SegmentCondition {
  feature: string;
  is: (typeof OPERATORS)[number];
  value: number | string | boolean | (number | string)[];
}

const ruleShape = z.strictObject({
  all: z
    .array(
      z.strictObject({
        feature: z.string().min(1).max(200),
        is: z.enum(OPERATORS),
        value: z.union([
          z.number(),
          z.string().max(500),
          z.boolean(),
          z
            .array(z.union([z.number(), z.string().max(500)]))
            .min(1)
            .max(100),
        ]),
      }),
    )
    .min(1)
    .max(MAX_CONDITIONS),
});

const KNOWN_FEATURES = Object.keys(featureVector(emptyState(''), new Date(0)));

/**
 * @param definition  `{ all: [{ feature, is, value }] }`
 * @throws DomainError INVALID_INPUT that names the condition, the feature and the remedy
 */
export function parseRule(definition: unknown): SegmentRule {
  const parsed = ruleShape.safeParse(definition);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const at = issue?.path.join('.') ?? '';
    throw invalid(
      at,
      `${issue?.message ?? 'no rule'}: a rule is { all: [{ feature, is, value }] } with is one of ${OPERATORS.join(', ')}`,
    );
  }
  parsed.data.all.forEach((condition, i) => checkCondition(condition, `all.${i}`));
  return parsed.data;
}

/** Whether all conditions hold; an unknown value meets none but `ne` and `known: false`. */
export function meetsRule({ all }: SegmentRule, features: FeatureVector): boolean {
  return all.every(({ feature, is, value }) => holds(features[feature] ?? null, is, value));
}

function holds(
  actual: number | string | null,
  is: SegmentCondition['is'],
  value: SegmentCondition['value'],
): boolean {
  if (is === 'known') return (actual !== null) === value;
  if (is === 'in') return Array.isArray(value) && actual !== null && value.includes(actual);
  const wanted = typeof value === 'boolean' ? Number(value) : value;
  if (is === 'eq') return actual === wanted;
  if (is === 'ne') return actual !== wanted;
  if (typeof actual !== 'number' || typeof wanted !== 'number') return false;
  if (is === 'gt') return actual > wanted;
  if (is === 'gte') return actual >= wanted;
  return is === 'lt' ? actual < wanted : actual <= wanted;
}

function checkCondition({ feature, is, value }: SegmentCondition, at: string): void {
  if (!KNOWN_FEATURES.includes(feature) && !/^(trait|form)\../.test(feature))
    throw invalid(
      `${at}.feature`,
      `there is no feature "${feature}"${nearest(feature)}: use one of those that Customer.featureVector(set: "customer") lists, trait.<name> or form.<name>`,
    );
  if (is === 'in' && !Array.isArray(value))
    throw invalid(`${at}.value`, `"in" on ${feature} needs a list of values`);
  if (is !== 'in' && Array.isArray(value))
    throw invalid(`${at}.value`, `only "in" takes a list; "${is}" on ${feature} needs one value`);
  if (is === 'known' && typeof value !== 'boolean')
    throw invalid(`${at}.value`, `"known" on ${feature} needs true or false`);
  if (['gt', 'gte', 'lt', 'lte'].includes(is) && typeof value !== 'number')
    throw invalid(`${at}.value`, `"${is}" on ${feature} needs a number, got ${JSON.stringify(value)}`);
}

/** `, perhaps "…"` with the known feature that shares most words of the name. */
function nearest(feature: string): string {
  const words = new Set(feature.toLowerCase().split(/[._]/));
  const scored = KNOWN_FEATURES.map((name) => ({
    name,
    common: name
      .toLowerCase()
      .split(/[._]/)
      .filter((word) => words.has(word)).length,
  })).toSorted((a, b) => b.common - a.common);
  const best = scored[0];
  return best && best.common > 0 ? `, perhaps "${best.name}"` : '';
}

function invalid(path: string, message: string): DomainError {
  return new DomainError('INVALID_INPUT', message, { path: ['definition', path].filter(Boolean).join('.') });
}
