import { DomainError } from '@sextant/domain';
import type { Attribution } from '@sextant/inference-protocol';

const MOST_CONTRIBUTIONS = 50;

export interface Explanation {
  baseValue: number;
  contributions: { feature: string; value: number | string | null; contribution: number }[];
  residual: number;
  method: string;
  sentence: string;
}

/**
 * The largest contributions by magnitude; what is left out goes to the residual, so that
 * baseValue + Σ contributions + residual stays the explained value.
 *
 * @throws DomainError INVALID_INPUT when top is not within 1..50
 */
export function explain(attribution: Attribution, top: number): Explanation {
  if (!Number.isInteger(top) || top < 1 || top > MOST_CONTRIBUTIONS) {
    throw new DomainError('INVALID_INPUT', `top must be between 1 and ${MOST_CONTRIBUTIONS}, got ${top}`, {
      path: 'top',
    });
  }
  const ranked = attribution.contributions
    .map(({ feature, contribution, number, text, value }) => ({
      feature,
      value: value === 'number' ? (number ?? null) : value === 'text' ? (text ?? null) : null,
      contribution,
    }))
    .toSorted(
      (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || (a.feature < b.feature ? -1 : 1),
    );
  const contributions = ranked.slice(0, top);
  const rest = ranked.slice(top).reduce((sum, { contribution }) => sum + contribution, 0);
  return {
    baseValue: attribution.baseValue,
    contributions,
    residual: attribution.residual + rest,
    method: attribution.method,
    sentence: sentenceOf(contributions),
  };
}

function sentenceOf(contributions: Explanation['contributions']): string {
  const named = contributions.filter(({ contribution }) => contribution !== 0).slice(0, 3);
  if (named.length === 0) return 'No single feature moves this answer.';
  const phrases = named.map(({ feature, value, contribution }) => {
    const reading =
      value === null
        ? feature
        : `${feature} = ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`;
    return `${reading} ${contribution > 0 ? 'raises' : 'lowers'} it`;
  });
  return `Mostly because ${phrases.join(', ')}.`;
}
