import { DomainError } from '@sextant/domain';
import type { Attribution } from '@sextant/inference-protocol';

/** What `top` may be, and is when a query does not say. */
export const MOST_CONTRIBUTIONS = 50;
export const DEFAULT_CONTRIBUTIONS = 5;

export interface Explanation {
  baseValue: number;
  contributions: { feature: string; value: number | string | null; contribution: number }[];
  residual: number;
  method: string;
  /** @throws DomainError INVALID_INPUT for a language that there are no sentences in */
  sentence(args: { locale?: string | null }): string;
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
    sentence: ({ locale }) => sentenceIn(locale ?? 'en', contributions),
  };
}

interface Language {
  nothing: string;
  because(phrases: string): string;
  raises: string;
  lowers: string;
}

const LANGUAGES: Readonly<Record<string, Language>> = {
  en: {
    nothing: 'No single feature moves this answer.',
    because: (phrases) => `Mostly because ${phrases}.`,
    raises: 'raises it',
    lowers: 'lowers it',
  },
  de: {
    nothing: 'Kein einzelnes Merkmal bewegt diese Antwort.',
    because: (phrases) => `Ausschlaggebend: ${phrases}.`,
    raises: 'erhöht sie',
    lowers: 'senkt sie',
  },
};
const NAMED = 3;
/** Digits of a number in a sentence. */
const DIGITS = 4;

function sentenceIn(locale: string, contributions: Explanation['contributions']): string {
  const name = /^([a-z]{2})(-[A-Za-z0-9]{2,8})*$/.exec(locale)?.[1] ?? '';
  const language = Object.hasOwn(LANGUAGES, name) ? LANGUAGES[name] : undefined;
  if (language === undefined) {
    const known = Object.keys(LANGUAGES).join(', ');
    const message = `locale must be one of ${known}, got "${locale.slice(0, 40)}"`;
    throw new DomainError('INVALID_INPUT', message, { path: 'locale' });
  }
  const named = contributions.filter(({ contribution }) => contribution !== 0).slice(0, NAMED);
  if (named.length === 0) return language.nothing;
  const number = new Intl.NumberFormat(name, { maximumSignificantDigits: DIGITS, useGrouping: false });
  const phrases = named.map(({ feature, value, contribution }) => {
    const shown = typeof value === 'number' ? number.format(value) : value;
    const reading = shown === null ? feature : `${feature} = ${shown}`;
    return `${reading} ${contribution > 0 ? language.raises : language.lowers}`;
  });
  return language.because(phrases.join(', '));
}
