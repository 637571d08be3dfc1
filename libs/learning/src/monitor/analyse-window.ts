import type { MonitoringReference } from '@sextant/artefacts';
import { checkColumns } from './check-columns.js';
import { checkGroups } from './check-groups.js';
import { checkLabel } from './check-label.js';
import { checkPerformance, type JudgedScores } from './check-performance.js';
import { checkProxies } from './check-proxies.js';
import { checkStale } from './feature-changes.js';
import type {
  Checked,
  JudgedDecisions,
  WindowAnalysis,
  WindowFinding,
  WindowFindingKind,
  WindowInput,
} from './window-analysis.js';

/** Fewer rows are too few for any verdict. */
export const MIN_WINDOW_ROWS = 50;
/** What says that answers are wrong, not only that they are asked for otherwise. */
const BREAKING: readonly WindowFindingKind[] = ['PERFORMANCE', 'LABEL_SHIFT'];
const NOTHING: Checked = { findings: [], notes: [] };

/**
 * What a window of served decisions shows about a version, beside what it was trained on. Each finding is beyond chance and of a size that
 * matters; a window in which nothing changed raises any with a chance below one in a hundred, all checks together.
 *
 * @throws RangeError where arrays of the decisions differ in length
 */
export function analyseWindow(reference: MonitoringReference, input: WindowInput): WindowAnalysis {
  const { sketch, decisions, changes, usualChanges = [], subjects = sketch.rows } = input;
  const rowsSeen = sketch.rows;
  if (decisions !== undefined) assertLengths(decisions);
  const weight = rowsSeen === 0 ? 1 : Math.min(1, subjects / rowsSeen);
  const enough = rowsSeen * weight >= MIN_WINDOW_ROWS;
  const columns = enough ? checkColumns(reference, sketch, weight) : { ...NOTHING, features: [] };
  const stale = changes === undefined ? NOTHING : checkStale(reference, changes, usualChanges);
  const outcomes = decisions === undefined ? null : judgedScores(decisions);
  const performance = outcomes === null ? null : checkPerformance(reference, outcomes);
  const label = outcomes === null ? NOTHING : checkLabel(reference, outcomes);
  const fair = decisions === undefined ? NOTHING : checkTraits(reference, decisions, input);
  const checked = [columns, stale, performance ?? NOTHING, label, fair];
  const findings = withoutRepeats(checked.flatMap((each) => each.findings));
  return {
    rowsSeen,
    features: columns.features,
    performance: performance?.performance ?? null,
    findings,
    verdict: verdictOf(findings, { rowsSeen, subjects, enough }),
    notes: checked.flatMap(({ notes }) => notes),
  };
}

function checkTraits(
  reference: MonitoringReference,
  decisions: JudgedDecisions,
  input: WindowInput,
): Checked {
  if (decisions.traits.size === 0) return NOTHING;
  const proxies = checkProxies(reference, decisions);
  const { threshold } = reference;
  if (threshold === null) return proxies;
  const { acceptedGaps = new Map<string, number>(), seed = 1 } = input;
  const groups = checkGroups(decisions, { threshold, acceptedGaps, seed });
  return { findings: [...groups.findings, ...proxies.findings], notes: [...groups.notes, ...proxies.notes] };
}

function judgedScores({ scores, labels }: JudgedDecisions): JudgedScores {
  const rows = Array.from({ length: labels.length }, (_, row) => row).filter(
    (row) => (labels[row] ?? -1) >= 0 && !Number.isNaN(scores[row] ?? Number.NaN),
  );
  return {
    scores: Float64Array.from(rows, (row) => scores[row] ?? 0),
    labels: Uint8Array.from(rows, (row) => labels[row] ?? 0),
  };
}

/** A feature that stands still is seen by its bins and by its subjects. */
function withoutRepeats(findings: readonly WindowFinding[]): WindowFinding[] {
  const seen = new Set<string>();
  return findings.filter(({ kind, name, sentence }) => {
    const key = kind === 'FEATURE_STALE' ? `${kind} ${name}` : sentence;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function verdictOf(
  findings: readonly WindowFinding[],
  { rowsSeen, subjects, enough }: { rowsSeen: number; subjects: number; enough: boolean },
): string {
  if (findings.length > 0) {
    const isBroken = findings.some(({ kind }) => BREAKING.includes(kind));
    const names = [...new Set(findings.map(({ kind, name }) => `${kind} ${name}`))];
    return `${isBroken ? 'broken' : 'drifting'}: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`;
  }
  if (!enough) {
    const of = subjects < rowsSeen ? ` of ${subjects} customers` : '';
    return `too little data: ${rowsSeen} rows${of}, at least ${MIN_WINDOW_ROWS} are needed`;
  }
  return `stable: ${rowsSeen} rows differ from training by nothing that matters`;
}

function assertLengths({ scores, labels, table, traits }: JudgedDecisions): void {
  const lengths = [scores.length, labels.length, ...[...traits.values()].map((groups) => groups.length)];
  if (table !== null) lengths.push(table.rows);
  if (new Set(lengths).size > 1)
    throw new RangeError(`the decisions of a window differ in length: ${lengths.join(', ')}`);
}
