import type { MonitoringReference } from '@sextant/artefacts';
import { takeRows } from '../tabular/column-table.js';
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
  const { sketch, changes, usualChanges = [], subjects = sketch.rows } = input;
  const rowsSeen = sketch.rows;
  const decisions = input.decisions === undefined ? undefined : lastOfEach(input.decisions);
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
  const { acceptedGaps = new Map<string, number>() } = input;
  const groups = checkGroups(decisions, { threshold, acceptedGaps });
  return { findings: [...groups.findings, ...proxies.findings], notes: [...groups.notes, ...proxies.notes] };
}

/** The last row of each subject; all rows where nobody says whom they are about. */
function lastOfEach(decisions: JudgedDecisions): JudgedDecisions {
  assertLengths(decisions);
  const { scores, labels, table, traits, subjects } = decisions;
  if (subjects === undefined) return decisions;
  const last = new Map<string, number>();
  for (const [row, subject] of subjects.entries()) last.set(subject, row);
  const rows = [...last.values()];
  if (rows.length === subjects.length) return decisions;
  return {
    scores: Float64Array.from(rows, (row) => scores[row] ?? Number.NaN),
    labels: Int8Array.from(rows, (row) => labels[row] ?? -1),
    table: table === null ? null : takeRows(table, rows),
    traits: new Map([...traits].map(([trait, groups]) => [trait, rows.map((row) => groups[row] ?? '')])),
  };
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

function assertLengths({ scores, labels, table, traits, subjects }: JudgedDecisions): void {
  const lengths = [scores.length, labels.length, ...[...traits.values()].map((groups) => groups.length)];
  if (table !== null) lengths.push(table.rows);
  if (subjects !== undefined) lengths.push(subjects.length);
  if (new Set(lengths).size > 1)
    throw new RangeError(`the decisions of a window differ in length: ${lengths.join(', ')}`);
}
