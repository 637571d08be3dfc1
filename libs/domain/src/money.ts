import { DomainError } from './errors.js';

/** An amount in integer minor units (cents) of an ISO 4217 currency. */
export interface MinorMoney {
  amountMinor: number;
  currency: string;
}

/** Money as the graph shows it: a decimal string, never a float. */
export interface DecimalMoney {
  amount: string;
  currency: string;
}

const EXPONENTS: Readonly<Record<string, number>> = {
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  ISK: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
};

/** Currencies in use, as the runtime's Unicode data lists them. */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/**
 * Digits after the decimal point of a currency (ISO 4217 table A.1); 2 unless the table says otherwise.
 *
 * @throws DomainError INVALID_MONEY when there is no such currency
 */
export function minorUnitDigits(currency: string): number {
  if (!CURRENCIES.has(currency)) {
    throw new DomainError(
      'INVALID_MONEY',
      `currency must be an ISO 4217 code such as EUR, got "${currency}"`,
    );
  }
  return EXPONENTS[currency] ?? 2;
}

/**
 * Reads a decimal amount exactly, without floating-point arithmetic.
 *
 * @throws DomainError INVALID_MONEY when the text is no decimal, has more digits than the currency, or leaves the safe range
 */
export function toMinor({ amount, currency }: DecimalMoney): MinorMoney {
  const digits = minorUnitDigits(currency);
  const match = /^(-?)(\d{1,13})(?:\.(\d+))?$/.exec(amount);
  const fraction = (match?.[3] ?? '').replace(/0+$/, '');
  if (!match || fraction.length > digits) {
    throw new DomainError(
      'INVALID_MONEY',
      `amount must be a decimal of at most 13 digits${digits > 0 ? ` and ${digits} behind the point` : ''} for ${currency}, got "${amount.slice(0, 40)}"`,
    );
  }
  const magnitude = Number(`${match[2]}${fraction.padEnd(digits, '0')}`);
  if (!Number.isSafeInteger(magnitude))
    throw new DomainError('INVALID_MONEY', `amount ${amount} is too large`);
  return { amountMinor: match[1] && magnitude !== 0 ? -magnitude : magnitude, currency };
}

/** Inverse of {@link toMinor}: always prints the full number of minor digits, e.g. 1290 EUR → "12.90". */
export function toDecimal({ amountMinor, currency }: MinorMoney): DecimalMoney {
  const digits = minorUnitDigits(currency);
  if (!Number.isSafeInteger(amountMinor)) {
    throw new DomainError('INVALID_MONEY', `amountMinor must be a safe integer, got ${amountMinor}`);
  }
  const text = String(Math.abs(amountMinor)).padStart(digits + 1, '0');
  const amount = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  return { amount: amountMinor < 0 ? `-${amount}` : amount, currency };
}

/** An amount in major units, as models compute it, rounded to the minor digits of its currency. */
export function fromMajor(major: number, currency: string): DecimalMoney {
  return toDecimal({ amountMinor: Math.round(major * 10 ** minorUnitDigits(currency)), currency });
}
