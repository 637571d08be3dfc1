/** A block of rows that share one value. */
export interface IsotonicBlock {
  /** Mean position of its rows. */
  x: number;
  value: number;
  weight: number;
}

/**
 * Isotonic regression by pooling adjacent violators: the non-decreasing values with the smallest weighted squared error.
 *
 * @param points  any order; equal positions are pooled first
 * @returns       blocks ascending in x with strictly ascending values; none for no points
 * @throws RangeError when a number is not finite or a weight is not positive
 *
 * Source: Barlow, Bartholomew, Bremner and Brunk (1972), "Statistical inference under order restrictions"; as calibration: Zadrozny
 * and Elkan (2002), "Transforming classifier scores into accurate multiclass probability estimates", KDD.
 */
export function isotonicBlocks(points: readonly IsotonicBlock[]): IsotonicBlock[] {
  const invalid = points.find(
    ({ x, value, weight }) => !Number.isFinite(x) || !Number.isFinite(value) || !(weight > 0),
  );
  if (invalid !== undefined) {
    throw new RangeError(
      `positions and values must be finite and weights positive, got ${invalid.x}, ${invalid.value}, ${invalid.weight}`,
    );
  }
  const blocks: IsotonicBlock[] = [];
  for (const point of tiesPooled(points)) {
    let last = point;
    for (
      let before = blocks.at(-1);
      before !== undefined && before.value >= last.value;
      before = blocks.at(-1)
    ) {
      blocks.pop();
      last = pooled(before, last);
    }
    blocks.push(last);
  }
  return blocks;
}

function tiesPooled(points: readonly IsotonicBlock[]): IsotonicBlock[] {
  const distinct: IsotonicBlock[] = [];
  for (const point of points.toSorted((a, b) => a.x - b.x)) {
    const before = distinct.at(-1);
    if (before?.x === point.x) distinct[distinct.length - 1] = pooled(before, point);
    else distinct.push(point);
  }
  return distinct;
}

/** Two neighbours as one block. */
export function pooled(a: IsotonicBlock, b: IsotonicBlock): IsotonicBlock {
  const weight = a.weight + b.weight;
  const mean = (x: number, y: number): number => (x * a.weight + y * b.weight) / weight;
  return { x: a.x === b.x ? a.x : mean(a.x, b.x), value: mean(a.value, b.value), weight };
}
