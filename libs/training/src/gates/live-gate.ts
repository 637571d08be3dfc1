import type { Gate, Measured } from '@sextant/artefacts';
import { encodeTable, logLosses, pairedDifference, takeRows } from '@sextant/learning';
import { OpenedModel } from '../runtime/index.js';
import type { HeldOutRows, ModelEvidence, OpenedVersion } from './model-evidence.js';
import { figures, notApplicable } from './quality-gates.js';

const LEAST_ROWS = 100;
const LEAST_OF_A_CLASS = 10;
const LEVEL = 0.95;
/** Figures of two data sets are told apart only where they differ by more than chance and by more than this. */
const NOTED_SHARE = 0.2;

interface Compared {
  manifest: OpenedVersion['manifest'];
  evidence: Pick<ModelEvidence, 'heldOut' | 'headline'>;
}

/**
 * The new version does no worse than the live one. A score is compared on the same rows, those whose outcome neither has learnt
 * from; where these are too few, and for every other task, the figure that each version was published with is compared.
 */
export async function liveGate(version: Compared, live: OpenedVersion | null, seed: number): Promise<Gate> {
  if (live === null)
    return notApplicable('not-worse-than-live', 'no worse than the live version', 'no version is live');
  const { heldOut } = version.evidence;
  const rows = heldOut && rowsAfter(heldOut, live);
  return rows ? sameRows(rows, live, seed) : publishedFigures(version, live);
}

/** Null where too few rows are new to the live version. */
function rowsAfter(heldOut: HeldOutRows, { manifest }: OpenedVersion): HeldOutRows | null {
  const knownUntil = Date.parse(manifest.dataTo ?? manifest.trainedAt);
  const rows = Array.from(heldOut.labels.keys()).filter((row) => (heldOut.knownAt[row] ?? 0) > knownUntil);
  const positives = rows.reduce((sum, row) => sum + (heldOut.labels[row] ?? 0), 0);
  if (rows.length < LEAST_ROWS || Math.min(positives, rows.length - positives) < LEAST_OF_A_CLASS)
    return null;
  return takeHeldOut(heldOut, rows);
}

function takeHeldOut({ table, labels, knownAt, losses }: HeldOutRows, rows: readonly number[]): HeldOutRows {
  return {
    table: takeRows(table, rows),
    labels: Uint8Array.from(rows, (row) => labels[row] ?? 0),
    knownAt: Float64Array.from(rows, (row) => knownAt[row] ?? 0),
    losses: Float64Array.from(rows, (row) => losses[row] ?? 0),
  };
}

async function sameRows(
  { table, labels, losses }: HeldOutRows,
  live: OpenedVersion,
  seed: number,
): Promise<Gate> {
  const required = `log-loss not above that of live version ${live.manifest.version} beyond noise, on rows that neither has learnt from`;
  const { spec } = live.manifest;
  if (spec.task !== 'lead' && spec.task !== 'churn' && spec.task !== 'purchase')
    return notApplicable('not-worse-than-live', required, 'the live version is no score');
  const probabilities = await answersOf(live.onnx, encodeTable(spec.table, table), table.rows);
  if (probabilities.length !== labels.length)
    return notApplicable('not-worse-than-live', required, 'the live version answers another shape');
  const excess = pairedDifference(losses, logLosses(labels, probabilities), { seed, level: LEVEL });
  return {
    name: 'not-worse-than-live',
    required,
    observed: `log-loss higher by ${figures(excess)} on ${labels.length} rows`,
    passed: excess.low <= 0,
  };
}

async function answersOf(onnx: Uint8Array, encoded: Float32Array, rows: number): Promise<Float64Array> {
  const model = await OpenedModel.open(onnx);
  try {
    return Float64Array.from((await model.answer(encoded, rows)) ?? []);
  } finally {
    await model.close();
  }
}

function publishedFigures({ manifest, evidence }: Compared, live: OpenedVersion): Gate {
  const { metric, higherIsBetter } = evidence.headline;
  const required = `${metric} not worse than that of live version ${live.manifest.version} by more than chance and ${100 * NOTED_SHARE} %, as published`;
  const [own, other] = [manifest.metrics[metric], live.manifest.metrics[metric]];
  if (own === undefined || other === undefined)
    return notApplicable('not-worse-than-live', required, `one of both versions has no ${metric}`);
  return {
    name: 'not-worse-than-live',
    required,
    observed: `${figures(own)}, live version ${figures(other)}`,
    passed: !isWorse(own, other, higherIsBetter),
  };
}

function isWorse(own: Measured, other: Measured, higherIsBetter: boolean): boolean {
  const beyondChance = higherIsBetter ? own.high < other.low : own.low > other.high;
  const loss = higherIsBetter ? other.value - own.value : own.value - other.value;
  return beyondChance && loss > NOTED_SHARE * Math.abs(other.value);
}
