import { logGamma } from '../lifetime/gamma-functions.js';
import type { Bounds } from './mean-sequence.js';

/** Halvings of the search; enough for the last bit. */
const STEPS = 60;

/**
 * Bounds of a chance, from counts alone, that hold at all times: the probability that it ever lies outside, however often one looks, is at
 * most `alpha`. Nothing counted: [0, 1].
 *
 * @param hits   0 ≤ hits ≤ count, whole numbers
 * @param alpha  in (0, 1)
 * @throws RangeError
 *
 * Source: Robbins (1970), "Statistical methods related to the law of the iterated logarithm": the mixture over a Beta(½, ½) prior is a
 * martingale under every chance p, so Ville's inequality bounds it by 1/alpha; the bounds are where it is reached.
 */
export function shareBounds(hits: number, count: number, alpha: number): Bounds {
  if (!(hits >= 0 && hits <= count)) throw new RangeError(`${hits} of ${count} is no share`);
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha must be in (0, 1), got ${alpha}`);
  if (count === 0) return { low: 0, high: 1 };
  const mixture = logBeta(hits + 0.5, count - hits + 0.5) - logBeta(0.5, 0.5);
  const limit = Math.log(1 / alpha);
  const isOutside = (p: number): boolean =>
    mixture - times(hits, Math.log(p)) - times(count - hits, Math.log1p(-p)) >= limit;
  const share = hits / count;
  return {
    low: hits === 0 ? 0 : edge(0, share, isOutside),
    high: hits === count ? 1 : edge(1, share, isOutside),
  };
}

/** Where the condition ends between a point where it holds and one where it does not. */
function edge(outside: number, inside: number, isOutside: (p: number) => boolean): number {
  let [out, within] = [outside, inside];
  for (let step = 0; step < STEPS; step += 1) {
    const middle = (out + within) / 2;
    if (isOutside(middle)) out = middle;
    else within = middle;
  }
  return out;
}

function times(count: number, logarithm: number): number {
  return count === 0 ? 0 : count * logarithm;
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}
