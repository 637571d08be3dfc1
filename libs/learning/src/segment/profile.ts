/** How one feature of a segment differs from everyone's. */
export interface TraitLift {
  feature: string;
  segmentMean: number;
  populationMean: number;
  /** segment mean over population mean; 1 where both are 0 */
  lift: number;
  /** difference in standard deviations of the population */
  difference: number;
}

/** What to call a feature in a name, and its values. */
export interface ProfiledFeature {
  name: string;
  words: string;
}

/** Differences below this many standard deviations are no trait. */
const NOTABLE = 0.35;

/**
 * The traits of each segment, largest difference first (in standard deviations of the population).
 *
 * @param rows    shape [n][features], in units that people know; NaN for unknown, which takes no part
 * @param labels  segment of each row, shape [n]; a negative one belongs to the population only
 */
export function profileSegments(
  rows: readonly (readonly number[])[],
  labels: ArrayLike<number>,
  { features, segments }: { features: readonly ProfiledFeature[]; segments: number },
): TraitLift[][] {
  const population = features.map((_, j) => moments(rows.map((row) => row[j] ?? NaN)));
  return Array.from({ length: segments }, (_, segment) => {
    const members = rows.filter((_row, i) => labels[i] === segment);
    return features
      .map(({ name }, j) => {
        const { mean, deviation } = population[j] ?? { mean: 0, deviation: 0 };
        const own = moments(members.map((row) => row[j] ?? NaN)).mean;
        const segmentMean = Number.isNaN(own) ? mean : own;
        return {
          feature: name,
          segmentMean,
          populationMean: mean,
          lift: mean === 0 ? (segmentMean === 0 ? 1 : Infinity) : segmentMean / mean,
          difference: deviation > 0 ? (segmentMean - mean) / deviation : 0,
        };
      })
      .toSorted((a, b) => Math.abs(b.difference) - Math.abs(a.difference));
  });
}

/** Names in plain words, e.g. `Many units per order, few seconds per page`; every segment gets another one. */
export function nameSegments(
  profiles: readonly (readonly TraitLift[])[],
  features: readonly ProfiledFeature[],
): string[] {
  const words = new Map(features.map(({ name, words: text }) => [name, text]));
  const taken = new Set<string>();
  return profiles.map((traits) => {
    const notable = traits.filter(({ difference }) => Math.abs(difference) >= NOTABLE);
    for (let count = Math.min(2, notable.length); count <= notable.length && count > 0; count++) {
      const name = phrase(notable.slice(0, count), words);
      if (!taken.has(name)) return take(taken, name);
    }
    let name = 'Like everyone';
    for (let n = 2; taken.has(name); n++) name = `Like everyone (${n})`;
    return take(taken, name);
  });
}

function take(taken: Set<string>, name: string): string {
  taken.add(name);
  return name;
}

function phrase(traits: readonly TraitLift[], words: ReadonlyMap<string, string>): string {
  const parts = traits.map(
    ({ feature, difference }) => `${difference > 0 ? 'high' : 'low'} ${words.get(feature) ?? feature}`,
  );
  const text = parts.join(', ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function moments(values: readonly number[]): { mean: number; deviation: number } {
  const known = values.filter((value) => !Number.isNaN(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length;
  return { mean, deviation: Math.sqrt(variance) };
}
