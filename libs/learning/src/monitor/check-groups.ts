import { wilsonInterval } from '../calibration/reliability.js';
import { chiSquareTail, holm } from '../drift/tail-probabilities.js';
import { auditGroups, type GroupAudit } from '../fairness/audit.js';
import { ALARM_LEVELS, type Checked, type JudgedDecisions } from './window-analysis.js';

export interface GroupOptions {
  /** score from which a row is selected */
  threshold: number;
  acceptedGaps: ReadonlyMap<string, number>;
}

/** Smaller groups are counted and not compared. */
export const MIN_GROUP_ROWS = 100;
/** A difference of rates that is worth an alarm. */
const LARGE_GAP = 0.1;
const LEVEL = 0.95;
const NAMED_GROUPS = 5;

const RATES = {
  selectionRate: 'selection rate',
  truePositiveRate: 'true positive rate',
  falsePositiveRate: 'false positive rate',
} as const;
type Rate = keyof typeof RATES;

interface Compared {
  trait: string;
  rate: Rate;
  lower: Share;
  higher: Share;
  /** of all pairs of groups, the one farthest apart */
  pValue: number;
  pairs: number;
  accepted: number;
}

interface Share {
  group: string;
  hits: number;
  rows: number;
}

/**
 * How a window treats the groups of each protected trait, by `auditGroups`: who is selected, and among decisions with a known outcome who
 * of the positive and of the negative is. A gap is a finding where it exceeds what was accepted at promotion by 0.1 or more and beyond
 * chance (Holm over all pairs of groups, rates and traits). Groups of fewer than 100 rows are not compared, and that is said.
 */
export function checkGroups(decisions: JudgedDecisions, options: GroupOptions): Checked {
  const compared: Compared[] = [];
  const notes: string[] = [];
  for (const [trait, groups] of decisions.traits) {
    const { large, small } = bySize(groups);
    if (small.length > 0) notes.push(refusal(trait, small));
    for (const { shares, rate } of sharesOf(decisions, trait, { large, threshold: options.threshold })) {
      const pair = widest(shares, {
        trait,
        rate,
        accepted: options.acceptedGaps.get(`${trait}:${RATES[rate]}`) ?? 0,
      });
      if (pair !== null) compared.push(pair);
    }
  }
  const adjusted = holm(
    compared.flatMap(({ pValue, pairs }) => [pValue, ...new Array<number>(pairs - 1).fill(1)]),
  );
  let at = 0;
  const findings = compared.flatMap((each) => {
    const p = adjusted[at] ?? 1;
    at += each.pairs;
    const gap = rateOf(each.higher) - rateOf(each.lower);
    const isFound = p < ALARM_LEVELS.groups && gap - each.accepted >= LARGE_GAP;
    return isFound ? [findingOf(each, gap)] : [];
  });
  return { findings, notes };
}

interface Group {
  group: string;
  rows: number;
}

function bySize(groups: readonly string[]): { large: Set<string>; small: Group[] } {
  const counts = new Map<string, number>();
  for (const group of groups) if (group !== '') counts.set(group, (counts.get(group) ?? 0) + 1);
  const all = [...counts].map(([group, rows]) => ({ group, rows }));
  const large = all.filter(({ rows }) => rows >= MIN_GROUP_ROWS).map(({ group }) => group);
  const small = all.filter(({ rows }) => rows < MIN_GROUP_ROWS);
  return {
    large: new Set(large),
    small: small.sort((a, b) => b.rows - a.rows || (a.group < b.group ? -1 : 1)),
  };
}

function refusal(trait: string, small: readonly Group[]): string {
  const named = small.slice(0, NAMED_GROUPS).map(({ group, rows }) => `"${group}" has ${rows} rows`);
  const rest =
    small.length > NAMED_GROUPS ? ` and ${small.length - NAMED_GROUPS} more groups are as small` : '';
  return `"${trait}": not every group was compared, ${MIN_GROUP_ROWS} rows are needed: ${named.join(', ')}${rest}`;
}

/** Selection over all rows with a score; the other rates over those whose outcome is known. */
function sharesOf(
  { scores, labels, traits }: JudgedDecisions,
  trait: string,
  { large, threshold }: { large: ReadonlySet<string>; threshold: number },
): { shares: Share[]; rate: Rate }[] {
  const groups = traits.get(trait) ?? [];
  const known = [...groups.keys()].filter(
    (row) => large.has(groups[row] ?? '') && !Number.isNaN(scores[row] ?? Number.NaN),
  );
  const judged = known.filter((row) => (labels[row] ?? -1) >= 0);
  const audited = (rows: readonly number[]): GroupAudit[] => {
    if (rows.length === 0) return [];
    const input = {
      attribute: trait,
      groups: rows.map((row) => groups[row] ?? ''),
      labels: rows.map((row) => Math.max(0, labels[row] ?? 0)),
      probabilities: rows.map((row) => scores[row] ?? 0),
    };
    return auditGroups(input, threshold);
  };
  const [all, withOutcome] = [audited(known), audited(judged)];
  return [
    { rate: 'selectionRate', shares: all.map((group) => shareOf(group, 'selectionRate')) },
    { rate: 'truePositiveRate', shares: withOutcome.map((group) => shareOf(group, 'truePositiveRate')) },
    { rate: 'falsePositiveRate', shares: withOutcome.map((group) => shareOf(group, 'falsePositiveRate')) },
  ];
}

function widest(
  all: readonly Share[],
  about: Pick<Compared, 'trait' | 'rate' | 'accepted'>,
): Compared | null {
  const shares = all.filter(({ rows }) => rows >= MIN_GROUP_ROWS).sort((a, b) => rateOf(a) - rateOf(b));
  const [lower, higher] = [shares[0], shares.at(-1)];
  if (lower === undefined || higher === undefined || lower === higher) return null;
  const pairs = (shares.length * (shares.length - 1)) / 2;
  const gap = rateOf(higher) - rateOf(lower) - about.accepted;
  const pooled = (lower.hits + higher.hits) / (lower.rows + higher.rows);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / lower.rows + 1 / higher.rows));
  const z = error === 0 ? 0 : gap / error;
  return { ...about, lower, higher, pairs, pValue: z <= 0 ? 1 : chiSquareTail(z * z, 1) };
}

function shareOf(group: GroupAudit, rate: Rate): Share {
  const negatives = group.rows - group.positives;
  const rows = { selectionRate: group.rows, truePositiveRate: group.positives, falsePositiveRate: negatives }[
    rate
  ];
  return { group: group.group, rows, hits: Math.round((group[rate]?.value ?? 0) * rows) };
}

function rateOf({ hits, rows }: Share): number {
  return hits / rows;
}

function findingOf({ trait, rate, lower, higher, accepted }: Compared, gap: number) {
  const words = (share: Share): string => {
    const [low, high] = wilsonInterval(share.hits, share.rows, LEVEL);
    return `${share.group} ${rateOf(share).toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
  };
  const known = accepted === 0 ? '' : `, ${accepted.toFixed(3)} was accepted`;
  return {
    kind: 'GROUP_GAP' as const,
    name: `${trait}: ${lower.group} / ${higher.group}`,
    sentence: `${RATES[rate]} by "${trait}": ${words(lower)}, ${words(higher)}, a gap of ${gap.toFixed(3)}${known}`,
    statistic: gap,
    threshold: LARGE_GAP + accepted,
  };
}
