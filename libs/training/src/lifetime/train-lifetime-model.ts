import type { LifetimeSpec, ModelCard, MonitoringReference } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { pairedDifference, squaredErrors } from '@sextant/learning';
import {
  forecastLifetime,
  type LifetimeModel,
  type PurchaseDay,
  type PurchaseHistories,
} from '@sextant/learning/lifetime';
import { type OnnxModel, writeLifetimeModel } from '@sextant/onnx';
import { evidenceOf, type Gain, type ModelEvidence } from '../gates/index.js';
import { type Expected64, verifyOnnx64 } from '../runtime/index.js';
import { measureLifetime, type MeasuredLifetime } from './evaluate-lifetime.js';
import { BASELINES } from './lifetime-baselines.js';
import { monitorLifetime } from './monitor-lifetime.js';
import { firstDayOf } from './observed-customers.js';
import { fitLifetime, type FittedLifetime } from './train-lifetime.js';
import { valueIntervals } from './value-intervals.js';

export interface LifetimeModelTraining {
  customers: readonly (readonly PurchaseDay[])[];
  /** Orders read. */
  rows: number;
  /** Last day that is known. */
  until: number;
  /** ISO 4217 */
  currency: string;
}

export interface LifetimeModelOptions {
  periodDays: number;
  maxHorizonDays: number;
  annualDiscountRate: number;
  seed: number;
  onProgress: (share: number, step: string) => void;
}

export interface TrainedLifetimeModel {
  spec: LifetimeSpec;
  onnx: OnnxModel;
  card: ModelCard;
  evidence: ModelEvidence;
  monitoring: MonitoringReference;
}

/** The last third of the known time measures the model, at most a year of it. */
const TEST_SHARE = 3;
const MAX_TEST_DAYS = 365;
const MIN_TEST_PERIODS = 2;
/** Customers whose forecasts are compared between the ONNX file and the fitted model. */
const VERIFIED_ROWS = 1_000;
const LEAST_MAX_FREQUENCY = 1_000;

/**
 * The model that serves: measured on the last third of the known time, which neither the choice nor that fit has seen, then fitted
 * anew on all of it with the process that was chosen.
 *
 * @throws DomainError DATA_INSUFFICIENT when the history is too short, nobody came back or orders have no value
 */
export async function trainLifetimeModel(
  training: LifetimeModelTraining,
  options: LifetimeModelOptions,
): Promise<TrainedLifetimeModel> {
  const { customers, until, rows } = training;
  const { periodDays, seed, onProgress } = options;
  const known = customers.map((days) => days.filter(({ day }) => day <= until));
  const testDays = testDaysOf(known, { until, periodDays });
  onProgress(0.1, 'measuring on the last part of the history');
  const measured = measureLifetime({
    ...{ customers: known, rows, periodDays, seed },
    calibrationEnd: until - testDays,
    end: until,
  });
  onProgress(0.6, 'fitting on the whole history');
  const fitted = fitLifetime(known, {
    ...{ until, periodDays, seed, horizonDays: MAX_TEST_DAYS },
    annualDiscountRate: options.annualDiscountRate,
    family: measured.trained.choice.family,
  });
  const meanOrderValue = meanOrderValueOf(fitted.model);
  const { forecast, observed } = measured;
  const spec = specOf(fitted, training, options, {
    meanOrderValue,
    reliability: valueIntervals({ forecast: forecast.spend, actual: observed.spend }, meanOrderValue),
  });
  onProgress(0.9, 'writing and checking the ONNX file');
  const onnx = writeLifetimeModel(fitted.model, {
    maxHorizon: options.maxHorizonDays / periodDays,
    maxFrequency: spec.maxFrequency,
  });
  const monitoring = monitorLifetime(fitted.model, fitted.observed.histories, periodDays);
  const expected = expectedOf(fitted.model, fitted.observed.histories, options);
  await verifyOnnx64(onnx.bytes, expected);
  const evidence = evidenceFor(gainOf(measured, { testDays, options }), expected);
  return { spec, onnx, card: cardOf({ training, fitted, measured, testDays }), evidence, monitoring };
}

function evidenceFor(gain: Gain, { rows, columns, outputs }: Expected64): ModelEvidence {
  return evidenceOf({
    gain,
    probe: { input: rows, rows: rows.length / columns, expected: outputs, tolerance: 1e-6 },
    headline: { metric: 'rmseTransactions', higherIsBetter: false },
    notCalibrated: 'intervals of the value are those of the measured customers themselves',
    notLeaking: 'the model reads purchases before the measured days and nothing else',
  });
}

/** What answers without a model is that everybody goes on as before; squared errors, since the mean is what is forecast. */
function gainOf(
  { observed, forecast }: MeasuredLifetime,
  { testDays, options: { periodDays, seed } }: { testDays: number; options: LifetimeModelOptions },
): Gain {
  const rule = BASELINES.repeatRate(observed.histories, testDays / periodDays);
  return {
    difference: pairedDifference(
      squaredErrors(observed.purchases, rule.purchases),
      squaredErrors(observed.purchases, forecast.purchases),
      { seed, level: 0.95 },
    ),
    metric: `squared error of the purchases of ${observed.purchases.length} customers in ${testDays} days`,
    over: 'everybody going on as before',
  };
}

function testDaysOf(
  customers: readonly (readonly PurchaseDay[])[],
  { until, periodDays }: { until: number; periodDays: number },
): number {
  const known = until - firstDayOf(customers);
  const days = Math.floor(Math.min(MAX_TEST_DAYS, known / TEST_SHARE));
  if (days >= MIN_TEST_PERIODS * periodDays) return days;
  const needed = MIN_TEST_PERIODS * TEST_SHARE * periodDays;
  throw new DomainError(
    'DATA_INSUFFICIENT',
    `lifetime value needs orders of at least ${needed} days, got ${Math.max(0, known)}: import more history`,
  );
}

function meanOrderValueOf({ spend }: LifetimeModel): number {
  if (spend !== null) return (spend.p * spend.v) / (spend.q - 1);
  throw new DomainError(
    'DATA_INSUFFICIENT',
    'lifetime value needs at least 2 customers who bought again at a positive value: import more history, or orders with prices',
  );
}

function specOf(
  { process, spend, observed }: FittedLifetime,
  { currency }: LifetimeModelTraining,
  { periodDays, maxHorizonDays, annualDiscountRate }: LifetimeModelOptions,
  interval: Pick<LifetimeSpec, 'meanOrderValue' | 'reliability'>,
): LifetimeSpec {
  const seen = observed.histories.frequency.reduce((max, x) => Math.max(max, x), 0);
  return {
    task: 'lifetime',
    family: process.parameters.family,
    parameters: process.measured,
    spend: spend?.measured ?? {},
    spendBasis: spend?.basis ?? 'repeats',
    ...interval,
    currency,
    periodDays,
    maxHorizonDays,
    maxFrequency: Math.max(LEAST_MAX_FREQUENCY, 2 * seen),
    annualDiscountRate,
  };
}

/** Some customers, each at a horizon of its own up to the longest. */
function expectedOf(
  model: LifetimeModel,
  { frequency, recency, age, meanSpend, meanValue }: PurchaseHistories,
  { maxHorizonDays, periodDays }: LifetimeModelOptions,
): Expected64 {
  const count = Math.min(VERIFIED_ROWS, frequency.length);
  const step = frequency.length / count;
  const rows: number[] = [];
  const outputs: number[] = [];
  for (let k = 0; k < count; k++) {
    const i = Math.floor(k * step);
    const horizon = ((k % 8) / 7) * (maxHorizonDays / periodDays);
    const at = (column: Float64Array): Float64Array => column.subarray(i, i + 1);
    const mean = model.spendBasis === 'all' ? meanValue : meanSpend;
    const one = {
      frequency: at(frequency),
      recency: at(recency),
      age: at(age),
      meanSpend: at(meanSpend),
      meanValue: at(meanValue),
    };
    const each = forecastLifetime(model, one, horizon);
    rows.push(frequency[i] ?? 0, recency[i] ?? 0, age[i] ?? 0, mean[i] ?? 0, horizon);
    outputs.push(each.probabilityAlive[0] ?? 0, each.expectedPurchases[0] ?? 0, each.value[0] ?? 0);
  }
  return { rows: Float64Array.from(rows), columns: 5, outputs: Float64Array.from(outputs) };
}

interface CardParts {
  training: LifetimeModelTraining;
  fitted: FittedLifetime;
  measured: ReturnType<typeof measureLifetime>;
  testDays: number;
}

function cardOf({ training, fitted, measured: { report }, testDays }: CardParts): ModelCard {
  const known = fitted.observed.histories.frequency;
  const again = known.reduce((count, x) => count + Number(x > 0), 0);
  return {
    purpose: 'Expected purchases and their discounted value of known customers, and whether they still buy.',
    trainingData: `${training.rows} orders of ${known.length} customers, ${again} of whom bought again; measured on the last ${testDays} days, then fitted on all`,
    features: [
      'purchase days after the first',
      'days from the first purchase to the last',
      'days since the first purchase',
      fitted.spend?.basis === 'all'
        ? 'mean value of a purchase day'
        : 'mean value of a purchase day after the first',
    ],
    chosenBecause: report.because,
    metrics: report.metrics,
    baselineMetrics: report.baselines['repeatRate'] ?? {},
    limitations: [
      'customers are told apart by their purchases only: campaigns, prices and seasons to come are taken to be as before',
      'spend is taken to be independent of frequency, and orders of one day are one purchase',
      'an interval is what customers with forecasts of the same size did in the measured days; over a longer horizon it is wider in truth',
    ],
    warnings: [...new Set([...report.warnings, ...fitted.warnings])],
  };
}
