import type { Gate, Measured, ModelCard } from '@sextant/artefacts';
import {
  brierScores,
  chooseBands,
  LEAKAGE_AUC,
  logLosses,
  measuredAuc,
  measuredMean,
  pairedDifference,
  reliabilityBins,
  scoreQuantiles,
  singleFeatureAuc,
  type ReliabilityBin,
} from '@sextant/learning';
import { checkCalibration, measuredCalibrationError } from '@sextant/learning/calibration';
import { encodeSample, tableEncodingOf } from './column-mapping.js';
import type { ImportOrder } from './import-order.js';
import type { TrialResult } from './runtime/trial.js';

/** Fewer say nothing about a model. */
const MIN_LABELLED_ROWS = 100;
const MIN_OF_EACH = 10;
const SEED = 1;
const LEVEL = 0.9;
const MAX_BATCH_MS = 50;
const NO_LEAK = `AUC of each column alone below ${LEAKAGE_AUC}`;

export interface Judged {
  gates: Gate[];
  card: ModelCard;
  metrics: Record<string, Measured>;
  baselineMetrics: Record<string, Measured>;
  bands: { warm: number; hot: number };
  quantiles: number[];
  reliability: ReliabilityBin[];
}

/** What a file that passed its checks is worth, as far as the sample tells: with labels enough it is measured as a model trained here. */
export function judgeImport(order: ImportOrder, trial: TrialResult): Judged {
  const { probabilities } = trial;
  const labelled = labelledRows(order, probabilities);
  const measured = labelled ? measure(labelled) : null;
  const rate = measured?.rate ?? probabilities.reduce((sum, p) => sum + p, 0) / probabilities.length;
  const { metrics = {}, baselineMetrics = {} } = measured ?? {};
  const gates = [
    ...(measured?.gates ?? unmeasured(order)),
    ...(labelled ? [leakGate(order)] : []),
    parityGate(order, trial),
    latencyGate(trial),
    cardGate(order),
  ];
  return {
    gates,
    card: cardOf(order, { trial, metrics, baselineMetrics }),
    metrics,
    baselineMetrics,
    bands: chooseBands(Math.min(0.99, Math.max(0.01, rate))),
    quantiles: scoreQuantiles(probabilities),
    reliability: labelled ? reliabilityBins(labelled.probabilities, labelled.labels) : [],
  };
}

interface Labelled {
  labels: Uint8Array;
  probabilities: Float64Array;
}

function labelledRows({ sample }: ImportOrder, probabilities: readonly number[]): Labelled | null {
  const rows = sample.flatMap(({ label }, i) => (label == null ? [] : [{ label, p: probabilities[i] ?? 0 }]));
  const positives = rows.filter(({ label }) => label === 1).length;
  const isEnough =
    rows.length >= MIN_LABELLED_ROWS && positives >= MIN_OF_EACH && rows.length - positives >= MIN_OF_EACH;
  if (!isEnough) return null;
  return {
    labels: Uint8Array.from(rows, ({ label }) => label),
    probabilities: Float64Array.from(rows, ({ p }) => p),
  };
}

function measure({ labels, probabilities }: Labelled) {
  const options = { seed: SEED, level: LEVEL };
  const rate = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  const losses = logLosses(labels, probabilities);
  const baseline = logLosses(labels, new Float64Array(labels.length).fill(rate));
  const gain = pairedDifference(baseline, losses, options);
  const distance = measuredCalibrationError({ labels, probabilities }, options);
  const { warning } = checkCalibration({ labels, probabilities }, distance.value);
  const gates: Gate[] = [
    {
      name: 'better-than-baseline',
      required: `log-loss below that of the rate for everybody, beyond noise, on ${labels.length} labelled rows`,
      observed: `lower by ${gain.value.toFixed(4)} (90 % interval ${gain.low.toFixed(4)} to ${gain.high.toFixed(4)})`,
      passed: gain.low > 0,
    },
    {
      name: 'calibration',
      required: 'mean probability and rate apart by no more than noise, or by little',
      observed: warning ?? `mean distance ${distance.value.toFixed(3)}`,
      passed: warning === null,
    },
  ];
  return {
    rate,
    gates,
    metrics: {
      auc: measuredAuc(labels, probabilities, options),
      logLoss: measuredMean(losses, options),
      brier: measuredMean(brierScores(labels, probabilities), options),
    },
    baselineMetrics: { logLoss: measuredMean(baseline, options) },
  };
}

/** What nobody measured does not pass: whoever knows better overrides the gate and says why. */
function unmeasured({ sample }: ImportOrder): Gate[] {
  const labels = sample.filter(({ label }) => label != null).length;
  const observed = `not measured: ${labels} rows of the sample have a label; give at least ${MIN_LABELLED_ROWS}, ${MIN_OF_EACH} of each`;
  return [
    {
      name: 'better-than-baseline',
      required: 'log-loss below that of the rate for everybody',
      observed,
      passed: false,
    },
    { name: 'calibration', required: 'probabilities that come true', observed, passed: false },
    { name: 'no-leak', required: NO_LEAK, observed, passed: false },
  ];
}

/** Columns of the model's input, each alone on the labelled rows. */
function leakGate({ columns, sample }: ImportOrder): Gate {
  const rows = sample.filter(({ label }) => label != null);
  const labels = Uint8Array.from(rows, ({ label }) => label ?? 0);
  const { features } = tableEncodingOf(columns);
  const cells = encodeSample(tableEncodingOf(columns), rows);
  const alone = features.map((name, column) => {
    const values = Float64Array.from(rows, (_, row) => cells[row * features.length + column] ?? Number.NaN);
    return { name, auc: singleFeatureAuc({ kind: 'numeric', name, values }, labels) };
  });
  const [strongest] = alone.sort((a, b) => b.auc - a.auc);
  return {
    name: 'no-leak',
    required: NO_LEAK,
    observed: strongest ? `strongest column ${strongest.name} ${strongest.auc.toFixed(3)}` : 'no column',
    passed: (strongest?.auc ?? 0) < LEAKAGE_AUC,
  };
}

function parityGate({ tolerance }: ImportOrder, { largestDifference, probabilities }: TrialResult): Gate {
  return {
    name: 'onnx-parity',
    required: `at most ${tolerance} from the tool's own answers`,
    observed: `${largestDifference.toExponential(1)} over ${probabilities.length} rows`,
    passed: largestDifference <= tolerance,
  };
}

function latencyGate({ batchMs }: TrialResult): Gate {
  return {
    name: 'latency',
    required: `64 rows in ${MAX_BATCH_MS} ms on one thread`,
    observed: `${batchMs.toFixed(2)} ms`,
    passed: batchMs <= MAX_BATCH_MS,
  };
}

function cardGate({ card }: ImportOrder): Gate {
  const missing = [
    ...(card.purpose ? [] : ['purpose']),
    ...(card.trainingData ? [] : ['trainingData']),
    ...(card.limitations.length > 0 ? [] : ['limitations']),
  ];
  return {
    name: 'complete-card',
    required: 'purpose, trainingData and limitations, said by whoever imports',
    observed: missing.length === 0 ? 'complete' : `without ${missing.join(', ')}`,
    passed: missing.length === 0,
  };
}

function cardOf(
  { card, columns, sample }: ImportOrder,
  parts: { trial: TrialResult } & Pick<Judged, 'metrics' | 'baselineMetrics'>,
): ModelCard {
  const { trial, metrics, baselineMetrics } = parts;
  const producer = trial.producer === '' ? 'an unnamed tool' : trial.producer.slice(0, 60);
  return {
    purpose: card.purpose || 'not stated',
    trainingData: card.trainingData || 'not stated: the model was fitted elsewhere',
    features: columns.map(({ feature }) => feature),
    chosenBecause: card.chosenBecause || `imported from a file that ${producer} wrote`,
    metrics,
    baselineMetrics,
    limitations: [
      ...card.limitations,
      `Fitted elsewhere: what it learnt from, whose consent that had, and how it treats groups of people were not checked here; metrics are of the ${sample.length} rows that came with it.`,
    ],
    warnings: ['answers come without contributions of single features'],
  };
}
