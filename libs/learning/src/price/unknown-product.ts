/** Spread of log prices between products, as a sum of squares, at which their levels count as much as the elasticity. */
const PRIOR_SPREAD = 1;

/**
 * How log units of a product that was never seen depend on its price: its usual price is unknown, so what counts is how levels fall from cheap to dear
 * products (least squares over products, drawn to the elasticity where products cost about the same); never above 0.
 */
export function effectOfUnknown(
  levels: Record<string, number>,
  centres: { byProduct: Record<string, number> },
  elasticity: number,
): number {
  const points = Object.entries(levels).map(([product, level]) => ({
    level,
    centre: centres.byProduct[product] ?? 0,
  }));
  const mean = (of: (point: (typeof points)[number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [level, centre] = [mean((point) => point.level), mean((point) => point.centre)];
  let [together, spread] = [PRIOR_SPREAD * elasticity, PRIOR_SPREAD];
  for (const point of points) {
    together += (point.centre - centre) * (point.level - level);
    spread += (point.centre - centre) ** 2;
  }
  return Math.min(0, together / spread);
}
