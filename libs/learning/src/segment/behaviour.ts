import { pointsOf, type Points } from './points.js';

/** A rate of behaviour: how much of one thing a customer does for one of another. */
export interface BehaviourRate {
  name: string;
  /** in words, for profiles */
  words: string;
  part: readonly string[];
  whole: readonly string[];
}

/**
 * How customers behave, by features of the online vector: rates and shares only, so that neither the length of the acquaintance
 * nor the size of the history makes a segment by itself. What the company does (mails sent) is only ever a denominator.
 */
export const BEHAVIOUR_RATES: readonly BehaviourRate[] = [
  {
    name: 'viewsPerVisit',
    words: 'products viewed per visit',
    part: ['count.product_view.total'],
    whole: ['count.page_visit.total'],
  },
  {
    name: 'ordersPerVisit',
    words: 'orders per visit',
    part: ['count.order.total'],
    whole: ['count.page_visit.total'],
  },
  {
    name: 'secondsPerPage',
    words: 'seconds per page',
    part: ['visit.seconds.total'],
    whole: ['count.page_visit.total', 'count.product_view.total'],
  },
  {
    name: 'valuePerOrder',
    words: 'value per order',
    part: ['order.value.total'],
    whole: ['count.order.total'],
  },
  {
    name: 'unitsPerOrder',
    words: 'units per order',
    part: ['order.units.total'],
    whole: ['count.order.total'],
  },
  {
    name: 'opensPerMail',
    words: 'mails opened of those sent',
    part: ['count.email_open.total'],
    whole: ['count.email_sent.total'],
  },
  {
    name: 'clicksPerMail',
    words: 'mail clicks per mail sent',
    part: ['count.email_click.total'],
    whole: ['count.email_sent.total'],
  },
  {
    name: 'visitsPerDay',
    words: 'visits per day',
    part: ['count.page_visit.total'],
    whole: ['tenure.days'],
  },
  {
    name: 'interactionsPerVisit',
    words: 'ratings and plays per visit',
    part: ['count.interaction.total'],
    whole: ['count.page_visit.total'],
  },
];

/** Things a customer does, of which three are needed before behaviour says anything. */
const DEEDS = [
  'count.page_visit.total',
  'count.order.total',
  'count.interaction.total',
  'count.email_open.total',
] as const;
export const LEAST_DEEDS = 3;

type Features = Readonly<Record<string, number | string | null>>;

/** How one rate of a customer is drawn towards everyone's. */
export interface Credibility {
  rate: BehaviourRate;
  /** everyone's rate: sum of parts over sum of wholes */
  common: number;
  /** Wholes at which a customer's own rate and everyone's count equally (σ²/τ²). */
  weight: number;
}

/** Whether enough is known of a customer for a segment of behaviour: visits, orders, interactions and opened mails together. */
export function hasBehaviour(features: Features): boolean {
  return DEEDS.reduce((sum, name) => sum + numberAt(features, name), 0) >= LEAST_DEEDS;
}

/**
 * Learns how far each rate can be trusted: the rate of a customer with few visits is drawn to everyone's by the credibility
 * n / (n + σ²/τ²), σ² the variance within and τ² between customers. Rates that nobody or everybody has alike are left out.
 *
 * @param customers  feature vectors by name; unknown is 0
 *
 * Source: Bühlmann and Straub (1970), "Glaubwürdigkeit für Schadensätze", Mitteilungen der Vereinigung Schweizerischer
 * Versicherungsmathematiker 70.
 */
export function fitBehaviour(customers: readonly Features[]): Credibility[] {
  return BEHAVIOUR_RATES.flatMap((rate) => {
    const pairs = customers
      .map((features) => ({ part: sumAt(features, rate.part), whole: sumAt(features, rate.whole) }))
      .filter(({ whole }) => whole > 0);
    const total = pairs.reduce((sum, { whole }) => sum + whole, 0);
    const common = pairs.reduce((sum, { part }) => sum + part, 0) / total;
    if (pairs.length < 2 || !(common > 0)) return [];
    const { within, between } = variances(pairs, common);
    return between > 0 ? [{ rate, common, weight: within / between }] : [];
  });
}

/** Logarithms of the credible rates of customers, shape [n, rates]; NaN where there was nothing to take a rate of. */
export function behaviourPoints(
  credibilities: readonly Credibility[],
  customers: readonly Features[],
): Points {
  return pointsOf(customers.map((features) => behaviourRow(credibilities, features)));
}

export function behaviourRow(credibilities: readonly Credibility[], features: Features): number[] {
  return credibilities.map(({ rate, common, weight }) => {
    const [part, whole] = [sumAt(features, rate.part), sumAt(features, rate.whole)];
    if (!(whole > 0)) return NaN;
    return Math.log((part + weight * common) / (whole + weight));
  });
}

/**
 * Variance of one observation within a customer and between customers' true rates, by least squares of (rate − common)² = τ² + σ²/n
 * over ten groups of customers by n.
 */
function variances(
  pairs: readonly { part: number; whole: number }[],
  common: number,
): { within: number; between: number } {
  const sorted = pairs.toSorted((a, b) => a.whole - b.whole);
  const groups = Math.min(10, Math.max(2, Math.floor(sorted.length / 20)));
  const cells = Array.from({ length: groups }, (_, g) => {
    const members = sorted.slice((g * sorted.length) / groups, ((g + 1) * sorted.length) / groups);
    const square = members.reduce((sum, { part, whole }) => sum + (part / whole - common) ** 2, 0);
    const inverse = members.reduce((sum, { whole }) => sum + 1 / whole, 0);
    return { square: square / members.length, inverse: inverse / members.length };
  });
  const { slope, intercept } = relativeLine(cells);
  const least = Math.min(...cells.map(({ square }) => square));
  return { within: Math.max(slope, 0.05 * common * common), between: Math.max(intercept, 0.05 * least) };
}

/** Least squares of relative errors: a group whose variance is large is also less certain. */
function relativeLine(cells: readonly { square: number; inverse: number }[]): {
  slope: number;
  intercept: number;
} {
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
  for (const { square, inverse } of cells) {
    const weight = 1 / Math.max(1e-12, square * square);
    w += weight;
    wx += weight * inverse;
    wy += weight * square;
    wxx += weight * inverse * inverse;
    wxy += weight * inverse * square;
  }
  const determinant = w * wxx - wx * wx;
  if (!(determinant > 1e-12 * w * wxx)) return { slope: 0, intercept: wy / w };
  return { slope: (w * wxy - wx * wy) / determinant, intercept: (wxx * wy - wx * wxy) / determinant };
}

function sumAt(features: Features, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + numberAt(features, name), 0);
}

function numberAt(features: Features, name: string): number {
  const value = features[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
