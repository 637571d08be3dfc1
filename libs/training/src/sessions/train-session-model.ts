import type { ModelCard, SessionSpec } from '@sextant/artefacts';
import {
  denseTransitions,
  fitSessionModel,
  indexSessions,
  type IndexedSessions,
  priorOf,
  type Session,
  type SessionModel,
  sessionPolicy,
  scoreSession,
  weighSession,
} from '@sextant/learning/session';
import { type OnnxModel, writeSessionModel } from '@sextant/onnx';
import { evidenceOf, type ModelEvidence, type ParityProbe } from '../gates/index.js';
import { verifyOnnx } from '../runtime/index.js';
import { describeSettings, reasonOf } from './describe-choice.js';
import { measureSessions, type MeasuredSessions } from './measure-sessions.js';

export interface TrainedSessionModel {
  spec: SessionSpec;
  onnx: OnnxModel;
  /** Bytes of the file `spec.transitionsFile`. */
  transitions: Uint8Array;
  measured: MeasuredSessions;
  card: ModelCard;
  evidence: ModelEvidence;
}

export interface SessionTrainingOptions {
  seed: number;
  /** `share` of the work done in [0, 1]; awaited. */
  onProgress?: (share: number, step: string) => Promise<void> | void;
  /** Most items of a model, by views; memory grows with its square. 5,000 when absent. */
  maxItems?: number;
}

const TEST_SHARE = 0.2;
const TYPICAL_CANDIDATES = 50;
const VERIFIED_SESSIONS = 50;
const TRANSITIONS_FILE = 'transitions.f32';

/**
 * Next-view model: settings chosen inside the earlier four fifths of the sessions, measured on the last fifth, fitted again on all,
 * written as ONNX and compared with ONNX Runtime. Equal sessions give equal files.
 *
 * @throws DomainError DATA_INSUFFICIENT without any view, TRAINING_FAILED when the written model differs from the fitted one
 */
export async function trainSessionModel(
  sessions: readonly Session[],
  { seed, onProgress = () => undefined, maxItems = 5000 }: SessionTrainingOptions,
): Promise<TrainedSessionModel> {
  const ordered = sessions.toSorted((a, b) => a.endedAt - b.endedAt);
  const cut = Math.max(1, Math.floor(ordered.length * (1 - TEST_SHARE)));
  const measured = await measureSessions(indexSessions(ordered.slice(0, cut), maxItems), ordered.slice(cut), {
    seed,
    onCandidate: (fitted) =>
      onProgress(
        Math.min(0.85, (0.85 * fitted) / TYPICAL_CANDIDATES),
        `choosing among session models (${fitted} fitted)`,
      ),
  });
  await onProgress(0.9, 'fitting on all sessions');
  const indexed = indexSessions(ordered, maxItems);
  const model = fitSessionModel(indexed.sessions, indexed.items.length, measured.choice.settings);
  const transitions = denseTransitions(model.transitions);
  const onnx = writeSessionModel({
    itemCount: model.itemCount,
    transitions,
    prior: Float32Array.from(priorOf(model)),
  });
  const probe = probeOf(model, indexed);
  await verifyOnnx(onnx.bytes, probe.input, probe.expected, model.itemCount);
  await onProgress(1, 'session model trained');
  return {
    spec: {
      task: 'session',
      items: indexed.items,
      ...sessionPolicy(model),
      transitionsFile: TRANSITIONS_FILE,
    },
    onnx,
    transitions: new Uint8Array(transitions.buffer),
    measured,
    card: cardOf(indexed, measured),
    evidence: evidenceFor(measured, probe),
  };
}

function evidenceFor({ gain }: MeasuredSessions, probe: ParityProbe): ModelEvidence {
  return evidenceOf({
    gain,
    probe,
    headline: { metric: 'mrr@20', higherIsBetter: true },
    notCalibrated: 'the model ranks items and gives no probability',
    notLeaking: 'the model reads the views before the one that it predicts and nothing else',
  });
}

function probeOf(model: SessionModel, { sessions }: IndexedSessions): ParityProbe & { input: Float32Array } {
  const { itemCount } = model;
  const sample = sessions.slice(-VERIFIED_SESSIONS);
  const rows = new Float32Array(sample.length * 2 * itemCount);
  const expected = new Float64Array(sample.length * itemCount);
  for (const [row, { items }] of sample.entries()) {
    const weighed = weighSession(sessionPolicy(model), items);
    for (const [k, item] of weighed.items.entries()) {
      rows[row * 2 * itemCount + item] = weighed.sources[k] ?? 0;
      rows[(row * 2 + 1) * itemCount + item] = weighed.repeats[k] ?? 0;
    }
    scoreSession(model, items, expected.subarray(row * itemCount, (row + 1) * itemCount));
  }
  return { input: rows, rows: sample.length, expected, tolerance: 1e-5 };
}

function cardOf(
  { items, sessions, droppedItems }: IndexedSessions,
  { choice, metrics, baselines, predictions }: MeasuredSessions,
): ModelCard {
  const warnings =
    droppedItems > 0 ? [`${droppedItems} of the least viewed items are left out of the model.`] : [];
  if (predictions < 100)
    warnings.push(`Only ${predictions} next views could be judged: the metrics say little.`);
  return {
    purpose:
      'Ranks the items of the catalogue for what a visitor looks at next, from what they looked at in this visit.',
    trainingData: `${sessions.length} sessions over ${items.length} items.`,
    features: ['the distinct items of the session, newest first'],
    chosenBecause: `${describeSettings(choice.settings)}: ${reasonOf(choice)}.`,
    metrics,
    baselineMetrics: baselines['popularity'] ?? {},
    limitations: [
      `Measured on ${predictions} next views of the last fifth of the sessions; the model served is fitted again on all of them with the same settings.`,
      'It predicts what is looked at, which is not always what is bought.',
      'An item that nobody viewed is never recommended.',
    ],
    warnings,
  };
}
