import { alignedRows } from '../output/aligned-rows.js';
import type { GateAnswer, JobAnswer, ModelAnswer, VersionAnswer, VersionDetails } from './model-answers.js';

const NONE = '–';
const TOP_FEATURES = 10;

/** Every model on a line: what answers, what is tried out beside it, what came last. */
export function modelsTable(models: readonly ModelAnswer[]): string {
  const header = ['model', 'live', 'trained', 'challenger', 'newest'];
  const rows = models.map(({ id, live, challenger, versions }) => [
    id,
    live ? numberOf(live) : NONE,
    minute(live?.trainedAt ?? null),
    challenger ? staged(challenger) : NONE,
    versions[0] ? staged(versions[0]) : NONE,
  ]);
  return text(words([header, ...rows]));
}

export function modelText({ id, live, versions }: ModelAnswer): string {
  if (versions.length === 0) return text([`${id}: no version yet`]);
  return text([
    `${id}: ${live ? `${live.id} answers` : 'nothing of it answers'}`,
    '',
    ...versionRows(versions),
  ]);
}

export function versionsTable(versions: readonly VersionAnswer[]): string {
  return text(versionRows(versions));
}

function versionRows(versions: readonly VersionAnswer[]): string[] {
  const header = ['version', 'stage', 'trained', 'customers', 'failed gates'];
  const rows = versions.map((version) => [
    version.id,
    version.stage + shareOf(version),
    minute(version.trainedAt),
    version.trainingCustomers?.toLocaleString('en') ?? NONE,
    failedOf(version).join(', ') || NONE,
  ]);
  return words([header, ...rows]);
}

export function versionText(version: VersionDetails): string {
  const { card, history, importance, fairness, gates } = version;
  const facts = [
    ['stage', version.stage + shareOf(version)],
    ['origin', version.origin ?? NONE],
    ['trained', minute(version.trainedAt)],
    ['customers', version.trainingCustomers?.toLocaleString('en') ?? 'not recorded'],
    ['model.onnx', version.onnxSha256 ?? NONE],
    ...(card
      ? [
          ['purpose', card.purpose],
          ['data', card.trainingData],
          ['because', card.chosenBecause],
        ]
      : []),
  ];
  return text([
    version.id,
    ...words(facts).map((line) => `  ${line}`),
    ...section('metrics', card ? metricRows(card) : []),
    ...section('gates', gateRows(gates)),
    ...section(
      'most important features',
      words(importance.slice(0, TOP_FEATURES).map(({ feature, share }) => [feature, percent(share)])),
    ),
    ...section('fairness', fairnessRows(fairness)),
    ...section('history', historyRows(history)),
    ...section('warnings', card?.warnings ?? []),
  ]);
}

export function gateRows(gates: readonly GateAnswer[]): string[] {
  return words(
    gates.map(({ name, required, observed, passed }) => [
      passed ? 'passed' : 'FAILED',
      name,
      `${required}; observed: ${observed}`,
    ]),
  );
}

export function jobsTable(jobs: readonly JobAnswer[]): string {
  if (jobs.length === 0) return text(['no training runs']);
  const header = ['job', 'task', 'state', 'asked', 'result'];
  const rows = jobs.map((job) => [job.id, job.task, job.state, minute(job.createdAt), resultOf(job)]);
  return text(words([header, ...rows]));
}

/** What came of a run, or how far it is. */
export function resultOf({ state, modelVersion, failure, step, progress }: JobAnswer): string {
  if (state === 'SUCCEEDED') return modelVersion?.id ?? NONE;
  if (state === 'FAILED') return failure ? `${failure.code}: ${failure.message}` : NONE;
  return state === 'RUNNING' ? `${percent(progress)} ${step ?? ''}`.trimEnd() : NONE;
}

export function staged(version: VersionAnswer): string {
  const failed = failedOf(version);
  const blocked =
    version.stage === 'CANDIDATE' && failed.length > 0 ? `, blocked by ${failed.join(', ')}` : '';
  return `${numberOf(version)} ${version.stage}${shareOf(version)}${blocked}`;
}

function metricRows({ metrics, baselineMetrics }: NonNullable<VersionDetails['card']>): string[] {
  const rows = Object.entries(metrics).map(([name, { value, low, high }]) => {
    const baseline = baselineMetrics[name];
    return [
      name,
      figure(value),
      `${figure(low)} to ${figure(high)}`,
      baseline ? figure(baseline.value) : NONE,
    ];
  });
  return rows.length === 0 ? [] : alignedRows([['', 'value', 'interval', 'baseline'], ...rows]);
}

function fairnessRows(slices: VersionDetails['fairness']): string[] {
  if (slices.length === 0) return [];
  const header = ['', 'n', 'selected', 'disparate impact', 'TPR gap', 'calibration gap'];
  const rows = slices.map((slice) => [
    `${slice.attribute} = ${slice.group}`,
    String(slice.n),
    percent(slice.selectionRate.value),
    figureOrNone(slice.disparateImpact),
    figureOrNone(slice.tprGap),
    figure(slice.calibrationGap),
  ]);
  return alignedRows([header, ...rows]);
}

function historyRows(history: VersionDetails['history']): string[] {
  return words(
    history.map(({ to, at, by, reason, overridden }) => [
      minute(at),
      to,
      `by ${by}`,
      [reason ?? '', overridden.length > 0 ? `overrode ${overridden.join(', ')}` : '']
        .filter((part) => part !== '')
        .join('; '),
    ]),
  );
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function failedOf({ gates }: VersionAnswer): string[] {
  return gates.filter(({ passed }) => !passed).map(({ name }) => name);
}

function shareOf({ share }: VersionAnswer): string {
  return share === null ? '' : ` ${percent(share)}`;
}

function numberOf({ id }: VersionAnswer): string {
  return id.slice(id.lastIndexOf('@'));
}

/** To the minute, in UTC. */
function minute(instant: string | null): string {
  return instant === null ? NONE : instant.slice(0, 16).replace('T', ' ');
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function figure(value: number): string {
  return value.toPrecision(4);
}

function figureOrNone(value: number | null): string {
  return value === null ? NONE : figure(value);
}

function words(rows: readonly (readonly string[])[]): string[] {
  return alignedRows(rows, { align: 'words' });
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
