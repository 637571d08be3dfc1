import type { Measured } from '@sextant/artefacts';
import { bootstrap } from '../metrics/bootstrap.js';
import { wilsonInterval } from '../calibration/reliability.js';

/** Scored rows with their outcome and the group that each belongs to; every array has shape [n]. */
export interface AuditedRows {
  /** Name of the protected column. */
  attribute: string;
  groups: readonly string[];
  /** 0 or 1 */
  labels: ArrayLike<number>;
  /** In [0, 1]. */
  probabilities: ArrayLike<number>;
}

export interface AuditOptions {
  /** Rows are selected from this probability on. */
  threshold: number;
  seed: number;
  /** Groups of fewer rows are counted, but not compared; 100 when absent. */
  minRows?: number;
}

export interface GroupAudit {
  group: string;
  rows: number;
  positives: number;
  /** Share of rows that are selected, with a Wilson interval of 95 %. */
  selectionRate: Measured;
  /** Among positive rows; null where there is none. */
  truePositiveRate: Measured | null;
  /** Among negative rows; null where there is none. */
  falsePositiveRate: Measured | null;
  /** Mean probability less the positive rate: above 0 the group is overrated. */
  calibrationGap: number;
}

export interface FairnessAudit {
  attribute: string;
  threshold: number;
  groups: GroupAudit[];
  /** Lowest selection rate over the highest; null where fewer than two groups can be compared or nobody is selected. */
  disparateImpact: Measured | null;
  /** Highest less lowest, among groups that can be compared. */
  selectionRateGap: Measured | null;
  truePositiveRateGap: Measured | null;
  falsePositiveRateGap: Measured | null;
  /** One sentence for each gap that is both large and beyond noise, beginning with its name. */
  flags: string[];
}

const LEVEL = 0.95;
const MIN_ROWS = 100;
const RESAMPLES = 200;
/** The "four-fifths rule": Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D. */
const FOUR_FIFTHS = 0.8;
/** A difference of rates that is worth a sentence. */
const LARGE_GAP = 0.05;

type Rate = 'selectionRate' | 'truePositiveRate' | 'falsePositiveRate';

/**
 * How a score treats groups at a threshold: who is selected, who of the positive and of the negative rows is, and whether the
 * probabilities mean the same. Flags name the gap, the two groups and their rates; a gap is flagged where it is at least
 * 0.05 (for disparate impact: below four fifths) and its bootstrap interval leaves out equality.
 *
 * A flag is a finding to be judged, not a verdict: unequal selection can follow from unequal base rates.
 *
 * @throws RangeError when lengths differ or there is no row
 *
 * Source: Hardt, Price and Srebro (2016), "Equality of opportunity in supervised learning", NeurIPS; Barocas, Hardt and Narayanan
 * (2023), "Fairness and machine learning", chapter 3.
 */
export function auditFairness(input: AuditedRows, options: AuditOptions): FairnessAudit {
  const { attribute } = input;
  const { threshold, minRows = MIN_ROWS } = options;
  const audited = auditGroups(input, threshold);
  const compared = audited.filter(({ rows }) => rows >= minRows);
  const rates = new GroupRates(
    input,
    compared.map(({ group }) => group),
    threshold,
  );
  const gap = (rate: Rate): Measured | null => measuredSpread(rates, rate, options.seed);
  const audit = {
    attribute,
    threshold,
    groups: audited,
    disparateImpact: measuredRatio(rates, options.seed),
    selectionRateGap: gap('selectionRate'),
    truePositiveRateGap: gap('truePositiveRate'),
    falsePositiveRateGap: gap('falsePositiveRate'),
  };
  return { ...audit, flags: flagsOf(audit, compared) };
}

/**
 * The groups' own rates with their intervals, ascending by name.
 *
 * @throws RangeError when lengths differ or there is no row
 */
export function auditGroups(input: AuditedRows, threshold: number): GroupAudit[] {
  const { groups, labels, probabilities } = input;
  const n = groups.length;
  if (n === 0 || labels.length !== n || probabilities.length !== n)
    throw new RangeError(`${n} groups, ${labels.length} labels and ${probabilities.length} probabilities`);
  return [...new Set(groups)].sort().map((name) => auditGroup(name, input, threshold));
}

function auditGroup(group: string, rows: AuditedRows, threshold: number): GroupAudit {
  const { groups, labels, probabilities } = rows;
  let [n, positives, selected, truePositives, sum] = [0, 0, 0, 0, 0];
  for (const [i, name] of groups.entries()) {
    if (name !== group) continue;
    const isSelected = (probabilities[i] ?? 0) >= threshold ? 1 : 0;
    n += 1;
    positives += labels[i] ?? 0;
    selected += isSelected;
    truePositives += labels[i] === 1 ? isSelected : 0;
    sum += probabilities[i] ?? 0;
  }
  const falsePositives = selected - truePositives;
  return {
    group,
    rows: n,
    positives,
    selectionRate: rateOf(selected, n),
    truePositiveRate: positives === 0 ? null : rateOf(truePositives, positives),
    falsePositiveRate: positives === n ? null : rateOf(falsePositives, n - positives),
    calibrationGap: (sum - positives) / n,
  };
}

function rateOf(hits: number, rows: number): Measured {
  const [low, high] = wilsonInterval(hits, rows, LEVEL);
  return { value: hits / rows, low, high, level: LEVEL };
}

/** Rates of each compared group as functions of row weights. */
class GroupRates {
  readonly rows: number;
  private readonly member: Int32Array;
  private readonly selected: Uint8Array;

  constructor(
    private readonly input: AuditedRows,
    readonly names: readonly string[],
    threshold: number,
  ) {
    this.rows = input.groups.length;
    const position = new Map(names.map((name, i) => [name, i]));
    this.member = Int32Array.from(input.groups, (name) => position.get(name) ?? -1);
    this.selected = Uint8Array.from(input.probabilities, (p) => (p >= threshold ? 1 : 0));
  }

  /** Shape [names]; NaN where the group has no row that the rate is about. */
  at(rate: Rate, weights: Float64Array): Float64Array {
    const wanted = rate === 'truePositiveRate' ? 1 : rate === 'falsePositiveRate' ? 0 : null;
    const hits = new Float64Array(this.names.length);
    const totals = new Float64Array(this.names.length);
    for (let i = 0; i < this.rows; i++) {
      const group = this.member[i] ?? -1;
      if (group < 0 || (wanted !== null && this.input.labels[i] !== wanted)) continue;
      const weight = weights[i] ?? 0;
      totals[group] = (totals[group] ?? 0) + weight;
      hits[group] = (hits[group] ?? 0) + weight * (this.selected[i] ?? 0);
    }
    return hits.map((hit, group) => hit / (totals[group] ?? 0));
  }
}

/**
 * Highest less lowest rate, between the two groups that stand at the ends in the data itself: in a resample other groups may, and the
 * largest of many noisy differences is always above 0.
 */
function measuredSpread(rates: GroupRates, rate: Rate, seed: number): Measured | null {
  const ends = endsOf(rates, rate);
  if (ends === null) return null;
  const difference = (weights: Float64Array): number => {
    const at = rates.at(rate, weights);
    return (at[ends.highest] ?? Number.NaN) - (at[ends.lowest] ?? Number.NaN);
  };
  return bootstrap(rates.rows, difference, { seed, resamples: RESAMPLES, level: LEVEL });
}

function measuredRatio(rates: GroupRates, seed: number): Measured | null {
  const ends = endsOf(rates, 'selectionRate');
  if (ends === null) return null;
  const ratio = (weights: Float64Array): number => {
    const at = rates.at('selectionRate', weights);
    const highest = at[ends.highest] ?? 0;
    return highest === 0 ? Number.NaN : (at[ends.lowest] ?? 0) / highest;
  };
  const measured = bootstrap(rates.rows, ratio, { seed, resamples: RESAMPLES, level: LEVEL });
  return Number.isNaN(measured.value) ? null : measured;
}

function endsOf(rates: GroupRates, rate: Rate): { lowest: number; highest: number } | null {
  const values = [...rates.at(rate, new Float64Array(rates.rows).fill(1))];
  const present = values.filter((value) => !Number.isNaN(value));
  if (present.length < 2) return null;
  return { lowest: values.indexOf(Math.min(...present)), highest: values.indexOf(Math.max(...present)) };
}

function flagsOf(audit: Omit<FairnessAudit, 'flags'>, compared: readonly GroupAudit[]): string[] {
  const { attribute, disparateImpact, threshold } = audit;
  const flags: string[] = [];
  const sentence = (name: string, rate: Rate, gap: Measured | null): void => {
    if (gap === null || gap.value < LARGE_GAP || gap.low <= 0) return;
    flags.push(
      `${name} by "${attribute}": ${endsInWords(compared, rate)} at threshold ${threshold.toFixed(2)}, a gap of ${gap.value.toFixed(3)} (${gap.low.toFixed(3)} to ${gap.high.toFixed(3)})`,
    );
  };
  sentence('selection rate', 'selectionRate', audit.selectionRateGap);
  sentence('true positive rate', 'truePositiveRate', audit.truePositiveRateGap);
  sentence('false positive rate', 'falsePositiveRate', audit.falsePositiveRateGap);
  if (disparateImpact !== null && disparateImpact.value < FOUR_FIFTHS && disparateImpact.high < 1) {
    flags.push(
      `disparate impact by "${attribute}": ${endsInWords(compared, 'selectionRate')}, a ratio of ${disparateImpact.value.toFixed(2)}, below four fifths`,
    );
  }
  const off = compared.filter(({ calibrationGap }) => Math.abs(calibrationGap) >= LARGE_GAP);
  for (const { group, calibrationGap } of off) {
    flags.push(
      `calibration by "${attribute}": ${group} is ${calibrationGap > 0 ? 'over' : 'under'}rated by ${Math.abs(calibrationGap).toFixed(3)}`,
    );
  }
  return flags;
}

function endsInWords(compared: readonly GroupAudit[], rate: Rate): string {
  const known = compared
    .flatMap((group) => (group[rate] === null ? [] : [{ name: group.group, value: group[rate].value }]))
    .sort((a, b) => a.value - b.value);
  const [lowest, highest] = [known[0], known.at(-1)];
  return `${lowest?.name} ${lowest?.value.toFixed(3)}, ${highest?.name} ${highest?.value.toFixed(3)}`;
}
