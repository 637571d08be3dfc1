import type { Clock } from '@sextant/domain';
import { analyseWindow, type WindowAnalysis, type WindowFinding } from '@sextant/learning/monitor';
import { TableSketch } from '@sextant/learning/sketch';
import type { ModelPolicies, ModelVersion, ModelVersions } from '@sextant/model-registry';
import type { CountedVersion, MonitoringReport, SketchRepository, Window } from '@sextant/monitoring';
import type { DecisionReader, WindowDecisions } from './window-decisions.js';
import type { WatchedVersion, WatchedVersions } from './watched-versions.js';

export interface ReportParts {
  sketches: Pick<SketchRepository, 'merged'>;
  watched: Pick<WatchedVersions, 'find'>;
  reader: Pick<DecisionReader, 'read'>;
  policies: Pick<ModelPolicies, 'find'>;
  versions: Pick<ModelVersions, 'find'>;
  clock: Clock;
}

const OF_OUTCOMES: readonly WindowFinding['kind'][] = ['PERFORMANCE', 'LABEL_SHIFT'];
/** Gaps in what becomes of people need outcomes; those in who is selected are seen in the window's own decisions. */
const SELECTION = 'selection rate by';
const NAMED_FINDINGS = 5;

/** What a window shows about one version: counts of all workers beside its reference, and its logged decisions beside what came of them. */
export class WindowReports {
  constructor(private readonly parts: ReportParts) {}

  /**
   * @returns null for a version without a reference, and where nothing was counted
   * @throws DomainError for artefacts and counts that cannot be read
   */
  async report(counted: CountedVersion, window: Window): Promise<MonitoringReport | null> {
    const { sketches, watched, versions, clock } = this.parts;
    const { tenantId, model, version } = counted;
    const of = await watched.find(model, version);
    const merged = of && (await sketches.merged({ tenantId, model, version, window }, of.plan));
    if (!of || !merged) return null;
    const registered = await versions.find(tenantId, `${model}@${version}`);
    const decided = await this.decisionsOf(counted, of, window);
    const analysis = analysed(of, merged.sketch, { decided, registered });
    return {
      tenantId,
      model,
      version,
      window,
      rowsSeen: analysis.rowsSeen,
      workers: merged.workers,
      features: analysis.features,
      performance: analysis.performance,
      findings: analysis.findings,
      notes: analysis.notes,
      verdict: analysis.verdict,
      createdAt: clock.now(),
      retrainJobId: null,
    };
  }

  /** Null for tasks whose answers are no probabilities of an outcome: their counts are all there is. */
  private async decisionsOf(
    { tenantId, model, version }: CountedVersion,
    { manifest: { spec } }: WatchedVersion,
    window: Window,
  ): Promise<WindowDecisions | null> {
    if (spec.task !== 'lead' && spec.task !== 'churn' && spec.task !== 'purchase') return null;
    const { protectedTraits } = await this.parts.policies.find(tenantId, spec.task);
    const { horizonDays } = spec;
    return this.parts.reader.read(
      { tenantId, id: `${model}@${version}`, horizonDays, protectedTraits },
      window,
    );
  }
}

function analysed(
  { reference, plan }: WatchedVersion,
  sketch: TableSketch,
  { decided, registered }: { decided: WindowDecisions | null; registered: ModelVersion | null },
): WindowAnalysis {
  if (decided === null) return analyseWindow(reference, { sketch });
  const { current, changes, usualChanges, matured, customersPerRow } = decided;
  const subjects = Math.max(1, Math.round(sketch.rows * customersPerRow));
  const acceptedGaps = acceptedGapsOf(registered);
  const now = analyseWindow(reference, {
    sketch,
    subjects,
    decisions: current,
    changes,
    usualChanges,
    acceptedGaps,
  });
  if (matured === null) return { ...now, notes: [...now.notes, ...decided.notes] };
  // What came of earlier decisions is judged apart: their customers are others than those of today.
  const then = analyseWindow(reference, { sketch: new TableSketch(plan), decisions: matured, acceptedGaps });
  const ofOutcomes = then.findings.filter(
    ({ kind, sentence }) =>
      OF_OUTCOMES.includes(kind) || (kind === 'GROUP_GAP' && !sentence.startsWith(SELECTION)),
  );
  const findings = [...ofOutcomes, ...now.findings];
  const verdict = ofOutcomes.length === 0 ? now.verdict : verdictOf(findings);
  const notes = [...new Set([...now.notes, ...then.notes, ...decided.notes])];
  return { ...now, performance: then.performance, findings, verdict, notes };
}

function verdictOf(findings: readonly WindowFinding[]): string {
  const names = [...new Set(findings.map(({ kind, name }) => `${kind} ${name}`))];
  const isBroken = findings.some(({ kind }) => OF_OUTCOMES.includes(kind));
  const more = names.length > NAMED_FINDINGS ? ` and ${names.length - NAMED_FINDINGS} more` : '';
  return `${isBroken ? 'broken' : 'drifting'}: ${names.slice(0, NAMED_FINDINGS).join(', ')}${more}`;
}

/** What was known of the groups when the version came into service is no news. */
function acceptedGapsOf(version: ModelVersion | null): Map<string, number> {
  const gaps = new Map<string, number>();
  const widen = (key: string, gap: number): void => void gaps.set(key, Math.max(gaps.get(key) ?? 0, gap));
  const slices = version?.fairness ?? [];
  for (const { attribute, tprGap, disparateImpact, selectionRate } of slices) {
    const compared = slices.filter(
      (other) => other.attribute === attribute && other.disparateImpact !== null,
    );
    const highest = Math.max(...compared.map((other) => other.selectionRate.value));
    if (disparateImpact !== null) widen(`${attribute}:selection rate`, highest - selectionRate.value);
    if (tprGap !== null) widen(`${attribute}:true positive rate`, -tprGap);
  }
  return gaps;
}
