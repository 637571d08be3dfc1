import type { Measured } from '@sextant/artefacts';
import { measuredMean, seededRandom } from '@sextant/learning';
import {
  adjustedRandIndex,
  applyScaling,
  type Candidate,
  chooseSegments,
  type ChosenSegments,
  fitScaling,
  nameSegments,
  pointsOf,
  profileSegments,
  type RfmRow,
  rfmScores,
  silhouettes,
} from '@sextant/learning/segment';
import type { EvaluationReport } from '../evaluation/evaluation-report.js';

export interface SegmentRows {
  columns: readonly string[];
  /** shape [n][columns], NaN for missing */
  rows: readonly (readonly number[])[];
  /** rows of the file, which may be more than customers */
  read: number;
  seed: number;
  maxSegments?: number;
  method?: 'k-means' | 'weighted' | 'mixture';
  /** for a purchase log: the same customers as recency, frequency and money */
  rfm?: readonly RfmRow[];
}

/** Mean adjusted Rand index below which the segments would not be found again. Source: Hennig (2007). */
const STABLE = 0.75;

/**
 * Segments of rows with their number chosen from the rows alone, and how well they hold. There are no labels and so no test rows:
 * stability is measured on bootstrap samples, the silhouette on all rows.
 *
 * @throws DomainError DATA_INSUFFICIENT for fewer than 20 rows or constant columns
 */
export function evaluateSegments(input: SegmentRows): EvaluationReport {
  const { columns, rows, seed } = input;
  const points = pointsOf(rows);
  const result = chooseSegments(points, columns, {
    seed,
    ...(input.maxSegments !== undefined && { maxSegments: input.maxSegments }),
    ...(input.method !== undefined && { method: input.method }),
  });
  const { chosen, candidates } = result;
  const half = candidates.find(({ k }) => k === 2);
  return {
    task: 'segments',
    rows: input.read,
    test: rows.length,
    chosen: `${chosen.k} segments by ${result.method} on ${columns.join(', ')}`,
    because: result.because,
    metrics: { segments: exactly(chosen.k), silhouette: chosen.silhouette, stability: chosen.stability },
    baselines: {
      'two segments': half ? { silhouette: half.silhouette, stability: half.stability } : {},
      'random labels': randomLabels(rows, chosen.k, seed),
    },
    leaks: [],
    warnings: warningsOf(input, result),
    details: {
      k: chosen.k,
      sizes: chosen.sizes,
      method: result.method,
      weights: Object.fromEntries(columns.map((name, j) => [name, result.segmentation.weights[j] ?? 1])),
      profiles: profilesOf(input, result),
      table: candidates.map(({ k, stability, silhouette, sizes }) => ({ k, stability, silhouette, sizes })),
      ...(input.rfm && { rfm: rfmTable(input.rfm) }),
    },
    plots: [plotOf(candidates)],
  };
}

function profilesOf({ columns, rows }: SegmentRows, { labels, chosen }: ChosenSegments) {
  const features = columns.map((name) => ({ name, words: name }));
  const profiles = profileSegments(rows, labels, { features, segments: chosen.k });
  const names = nameSegments(profiles, features);
  return profiles.map((traits, segment) => ({
    name: names[segment] ?? String(segment),
    size: chosen.sizes[segment] ?? 0,
    traits,
  }));
}

/** The silhouette of labels drawn at random on the same scale, and their agreement with another draw. */
function randomLabels(
  rows: readonly (readonly number[])[],
  k: number,
  seed: number,
): Record<string, Measured> {
  const random = seededRandom(seed);
  const draw = () => Int32Array.from({ length: rows.length }, () => Math.floor(random() * k));
  const points = pointsOf(rows);
  const labels = draw();
  const values = silhouettes(applyScaling(points, fitScaling(points)), labels, { seed, sample: 500 });
  return {
    silhouette: values.length === 0 ? exactly(0) : measuredMean(values, { seed }),
    stability: exactly(adjustedRandIndex(labels, draw())),
  };
}

function warningsOf({ columns, rows }: SegmentRows, { chosen, segmentation }: ChosenSegments): string[] {
  const warnings: string[] = [];
  const holes = rows.filter((row) => row.some(Number.isNaN)).length;
  if (holes > 0)
    warnings.push(
      `${holes} of ${rows.length} rows have missing cells: they count by the cells that they have`,
    );
  if (chosen.stability.value < STABLE)
    warnings.push(
      `stability ${chosen.stability.value.toFixed(2)} is below ${STABLE}: other customers would give other segments; do not act on them`,
    );
  const unused = columns.filter((_, j) => segmentation.weights[j] === 0);
  if (unused.length > 0) warnings.push(`segments do not differ in ${unused.join(', ')}`);
  const logged = columns.filter((_, j) => segmentation.scales[j]?.log);
  if (logged.length > 0) warnings.push(`${logged.join(', ')} skewed: taken as logarithms`);
  return warnings;
}

function rfmTable(rows: readonly RfmRow[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name } of rfmScores(rows)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function plotOf(candidates: readonly Candidate[]): EvaluationReport['plots'][number] {
  const line = (name: string, read: (candidate: Candidate) => number) => ({
    name,
    points: candidates.map((candidate): [number, number] => [candidate.k, read(candidate)]),
  });
  return {
    title: 'Stability and silhouette by number of segments',
    kind: 'line',
    x: 'segments',
    y: 'index',
    series: [
      line('stability', ({ stability }) => stability.value),
      line('silhouette', ({ silhouette }) => silhouette.value),
    ],
  };
}

function exactly(value: number): Measured {
  return { value, low: value, high: value, level: 1 };
}
