import { DomainError } from '@sextant/domain';

const HOUR_MS = 3_600_000;
const HOURS_OF = { h: 1, d: 24 } as const;
/** As long as sketches are kept. */
const MOST_HOURS = 960;

/** Milliseconds of a text such as `24h` or `7d`. @throws DomainError INVALID_INPUT for another text, or more than 40 days */
export function driftWindowMs(text: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,3})([hd])$/.exec(text) ?? [];
  const hours = Number(count) * HOURS_OF[unit === 'd' ? 'd' : 'h'];
  if (hours >= 1 && hours <= MOST_HOURS) return hours * HOUR_MS;
  throw new DomainError(
    'INVALID_INPUT',
    `window must be 1h to ${MOST_HOURS}h or 1d to ${MOST_HOURS / 24}d, got "${text.slice(0, 20)}"`,
    { path: 'window' },
  );
}
