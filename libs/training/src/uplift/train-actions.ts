import type { ModelCard, MonitoringReference, UpliftSpec } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { type Cell, encodeTable, tableOfRecords } from '@sextant/learning';
import {
  formProbabilities,
  linearBase,
  type ModelForm,
  predictUplift,
  takeUpliftRows,
  type UpliftLearner,
  type UpliftModel,
  type UpliftRows,
} from '@sextant/learning/uplift';
import { type OnnxModel, writeUpliftModel } from '@sextant/onnx';
import { type ModelEvidence, type ParityProbe } from '../gates/index.js';
import { verifyOnnx } from '../runtime/index.js';
import { describeUplift } from './describe-uplift.js';
import { actionEvidence } from './action-evidence.js';
import { fitEffectEncoder } from './effect-columns.js';
import { monitorUplift } from './monitor-uplift.js';
import { type TrainedUplift, trainUplift } from './train-uplift.js';

/** One customer in one arm of an experiment; see `assignmentExamples` of `@sextant/features`. */
export interface ActionExample {
  customerId: string;
  /** when they were drawn; absent: not known */
  at?: Date;
  features: Readonly<Record<string, Cell>>;
  /** `none`: control */
  action: string;
  choices: readonly string[];
  channel: string | null;
  cost: number;
  label: 0 | 1;
  orderValue: number;
  currency: string | null;
}

export interface ActionTraining {
  examples: readonly ActionExample[];
  goal: string;
  horizonDays: number;
  learners: readonly UpliftLearner[];
  seed: number;
  onProgress: (share: number, step: string) => void;
}

export interface TrainedActions {
  spec: UpliftSpec;
  onnx: OnnxModel;
  metrics: ModelCard['metrics'];
  baselineMetrics: ModelCard['baselineMetrics'];
  card: ModelCard;
  evidence: ModelEvidence;
  monitoring: MonitoringReference;
}

const CONTROL = 'none';
const MAX_VERIFIED = 2_000;

/** What one action's experiment gave: a model, or why there is none. */
export interface ActionOutcome {
  id: string;
  channel: string | null;
  cost: number;
  rows: number;
  trained: TrainedUplift | null;
  refused: string | null;
}

/**
 * A model of what each action of the experiments changes. Each is compared with control among those who could have had either,
 * which were equally likely. An action whose experiment is too small or whose model does not beat random targeting is refused;
 * where all are, the version says so and serves the probability without an action.
 *
 * @throws DomainError DATA_INSUFFICIENT when there is no control group or nothing to learn from, TRAINING_FAILED when the written
 *   model differs from the fitted one
 */
export async function trainActions(training: ActionTraining): Promise<TrainedActions> {
  const { examples, onProgress } = training;
  const control = examples.filter(({ action }) => action === CONTROL);
  if (control.length === 0)
    throw new DomainError(
      'DATA_INSUFFICIENT',
      `of ${examples.length} assignments none is a control: what an action changes can be learnt from a randomised experiment with a control group only`,
    );
  const table = tableOfRecords(examples.map(({ features }) => features));
  const { encoding, warnings } = fitEffectEncoder(table);
  const columns = encoding.features.length;
  if (columns === 0) throw new DomainError('DATA_INSUFFICIENT', 'no feature differs between the customers');
  const encoded = { rows: encodeTable(encoding, table), columns };
  const ids = [...new Set(examples.map(({ action }) => action))].filter((id) => id !== CONTROL).sort();
  const outcomes: ActionOutcome[] = [];
  for (const [i, id] of ids.entries()) {
    onProgress(i / ids.length, `learning what ${id} changes`);
    outcomes.push(await trainAction(id, encoded, training));
  }
  const without = await withoutAction(encoded, examples);
  const served = outcomes.flatMap(({ trained, refused }) =>
    trained !== null && refused === null ? [trained.model] : [],
  );
  onProgress(0.95, 'verifying the written model');
  const onnx = writeUpliftModel({ columns, without, actions: served });
  const probe = probeOf({ ...encoded, without, actions: served });
  await verifyOnnx(onnx.bytes, probe.input, probe.expected, 1 + served.length);
  const described = describeUplift(training, { outcomes, encoding, warnings });
  const monitoring = monitorUplift({ table, encoding, without, actions: served, ...whenAndWhom(examples) });
  return { onnx, ...described, evidence: actionEvidence(outcomes, probe), monitoring };
}

function whenAndWhom(examples: readonly ActionExample[]): { subjects: string[]; at: Float64Array | null } {
  const times = examples.flatMap(({ at }) => (at === undefined ? [] : [at.getTime()]));
  return {
    subjects: examples.map(({ customerId }) => customerId),
    at: times.length === examples.length ? Float64Array.from(times) : null,
  };
}

interface Encoded {
  rows: Float32Array;
  columns: number;
}

async function trainAction(
  id: string,
  encoded: Encoded,
  { examples, learners, seed }: ActionTraining,
): Promise<ActionOutcome> {
  const taking = examples.flatMap(({ action, choices }, i) =>
    action === id || (action === CONTROL && choices.includes(id)) ? [i] : [],
  );
  const one = examples.find(({ action }) => action === id);
  const about = { id, channel: one?.channel ?? null, cost: one?.cost ?? 0, rows: taking.length };
  const everybody: UpliftRows = {
    ...encoded,
    treated: Uint8Array.from(examples, ({ action }) => Number(action === id)),
    outcomes: Uint8Array.from(examples, ({ label }) => label),
    propensity: new Float64Array(examples.length).fill(0.5),
  };
  const numberOf = customerNumbers(examples);
  const ids = taking.map((i) => numberOf.get(examples[i]?.customerId ?? '') ?? 0);
  try {
    const trained = await trainUplift({ data: takeUpliftRows(everybody, taking), ids, learners, seed });
    return { ...about, trained, refused: trained.refused };
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'DATA_INSUFFICIENT') throw error;
    return { ...about, trained: null, refused: error.message };
  }
}

/** All rows of one customer share a fold, so that no model is measured on a customer it has seen. */
function customerNumbers(examples: readonly ActionExample[]): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const { customerId } of examples) if (!numbers.has(customerId)) numbers.set(customerId, numbers.size);
  return numbers;
}

/** Logistic regression on the control groups. */
function withoutAction({ rows, columns }: Encoded, examples: readonly ActionExample[]): Promise<ModelForm> {
  const own = examples.flatMap(({ action }, i) => (action === CONTROL ? [i] : []));
  const picked = new Float32Array(own.length * columns);
  own.forEach((row, i) => picked.set(rows.subarray(row * columns, (row + 1) * columns), i * columns));
  const targets = Uint8Array.from(own, (row) => examples[row]?.label ?? 0);
  return linearBase({ l2: 1e-2, regressionL2: 1e-1 }).probability({ rows: picked, columns, targets });
}

function probeOf({
  rows,
  columns,
  without,
  actions,
}: Encoded & { without: ModelForm; actions: readonly UpliftModel[] }): ParityProbe & { input: Float32Array } {
  const count = Math.min(MAX_VERIFIED, rows.length / columns);
  const sample = rows.slice(0, count * columns);
  const anyway = formProbabilities(without, sample, columns);
  const width = 1 + actions.length;
  const expected = new Float64Array(count * width);
  anyway.forEach((p, i) => (expected[i * width] = p));
  for (const [a, model] of actions.entries())
    predictUplift(model, sample, columns).forEach((effect, i) => {
      expected[i * width + a + 1] = Math.min(1, Math.max(0, (anyway[i] ?? 0) + effect));
    });
  return { input: sample, rows: count, expected, tolerance: 1e-5 };
}
