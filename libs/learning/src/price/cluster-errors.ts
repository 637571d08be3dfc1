/** Rows of one product in a regression on the log price. */
export interface ScoredRows {
  /** What each row adds to the equation of the price effect: centred log price × residual, shape [n]. */
  scores: ArrayLike<number>;
  /** Cluster of each row, shape [n], any integers: rows of one cluster share what the model does not know. */
  clusters: ArrayLike<number>;
  /** Product of each row, shape [n], any integers; a cluster lies inside one product. */
  groups: ArrayLike<number>;
}

/** Level and price effect, fitted in each product, make the scores of its clusters sum to about zero. */
const FITTED_A_GROUP = 2;

/**
 * How many times larger the variance of the price effect is when rows of one cluster (one spell at one price) err together than
 * when all rows err alone: Σ over clusters of (Σ scores)² over Σ scores². Products with k clusters count with k / (k − 2), since
 * their own level and slope took two degrees of freedom; those with fewer than three clusters are left out.
 *
 * @returns a factor ≥ 1; 1 where no product has three clusters or nothing varies
 * @throws RangeError when the lengths differ
 *
 * Sources: Liang and Zeger (1986), "Longitudinal data analysis using generalized linear models", Biometrika 73(1);
 * Moulton (1986), Journal of Econometrics 32(3).
 */
export function designEffect({ scores, clusters, groups }: ScoredRows): number {
  const n = scores.length;
  if (clusters.length !== n || groups.length !== n)
    throw new RangeError(`lengths differ: ${n}, ${clusters.length} and ${groups.length}`);
  const byGroup = new Map<number, { sums: Map<number, number>; squares: number }>();
  for (let i = 0; i < n; i++) {
    const [score, group, cluster] = [scores[i] ?? 0, groups[i] ?? 0, clusters[i] ?? 0];
    let found = byGroup.get(group);
    if (!found) byGroup.set(group, (found = { sums: new Map(), squares: 0 }));
    found.sums.set(cluster, (found.sums.get(cluster) ?? 0) + score);
    found.squares += score * score;
  }
  let [together, alone] = [0, 0];
  for (const { sums, squares } of byGroup.values()) {
    if (sums.size <= FITTED_A_GROUP) continue;
    const correction = sums.size / (sums.size - FITTED_A_GROUP);
    for (const sum of sums.values()) together += correction * sum * sum;
    alone += squares;
  }
  return alone > 0 ? Math.max(1, together / alone) : 1;
}

/**
 * Clusters of demand rows: a spell of one product at one price where each row of a product has a time of its own; else (no times, or several
 * stores at once) all rows of the product at that price.
 *
 * @returns cluster of each row, in the order of the rows
 */
export function priceSpells(
  rows: readonly { readonly product: string; readonly price: number; readonly at: Date }[],
): Int32Array {
  const clusters = new Int32Array(rows.length);
  const moments = new Set(rows.map(({ product, at }) => `${product}\u0000${at.getTime()}`));
  const hasTimes = moments.size === rows.length;
  const order = rows.map((_, i) => i);
  if (hasTimes) order.sort((a, b) => (rows[a]?.at.getTime() ?? 0) - (rows[b]?.at.getTime() ?? 0));
  const current = new Map<string, number>();
  let next = 0;
  const lastPrice = new Map<string, number>();
  for (const i of order) {
    const row = rows[i];
    if (!row) continue;
    const key = hasTimes ? row.product : `${row.product}\u0000${row.price}`;
    let cluster = current.get(key);
    if (cluster === undefined || (hasTimes && lastPrice.get(key) !== row.price)) {
      cluster = next++;
      current.set(key, cluster);
      lastPrice.set(key, row.price);
    }
    clusters[i] = cluster;
  }
  return clusters;
}

/**
 * Standard error of a shrunken effect where rows err in clusters. The estimate is w · (the product's own) + (1 − w) · (the common one), so
 * its variance is w² · D · σ² + (1 − w)² · (τ² + D · common²): only what comes from the rows grows with the design effect D.
 */
export function clusteredError(shrunken: {
  standardError: number;
  commonError: number;
  among: number;
  designEffect: number;
}): number {
  const { standardError, commonError, among, designEffect: effect } = shrunken;
  const ownPrecision = 1 / standardError ** 2 - 1 / among;
  if (!(ownPrecision > 0)) return Math.sqrt(standardError ** 2 + (effect - 1) * commonError ** 2);
  const own = 1 / ownPrecision;
  const weight = among / (among + own);
  return Math.sqrt(weight ** 2 * effect * own + (1 - weight) ** 2 * (among + effect * commonError ** 2));
}
