import type { TensorArray } from '../tensors/tensor.js';

/** How far the answers of two versions to the same rows lie apart. */
export interface Difference {
  /** numbers that were compared */
  values: number;
  sumAbsolute: number;
  maxAbsolute: number;
}

/**
 * Two NaN are equal, and so are two infinities of one sign; a value against NaN, or against an infinity, is infinitely apart.
 *
 * @param pairs  outputs of the same name, of the same rows
 * @throws RangeError when two outputs are not of one length
 */
export function differenceOf(pairs: readonly (readonly [TensorArray, TensorArray])[]): Difference {
  const total: Difference = { values: 0, sumAbsolute: 0, maxAbsolute: 0 };
  for (const [ours, theirs] of pairs) {
    if (ours.length !== theirs.length) {
      throw new RangeError(`outputs of ${ours.length} and ${theirs.length} values cannot be compared`);
    }
    for (let i = 0; i < ours.length; i++) {
      const apart = distance(Number(ours[i]), Number(theirs[i]));
      total.sumAbsolute += apart;
      if (apart > total.maxAbsolute) total.maxAbsolute = apart;
    }
    total.values += ours.length;
  }
  return total;
}

function distance(a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const apart = Math.abs(a - b);
  return Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
}
