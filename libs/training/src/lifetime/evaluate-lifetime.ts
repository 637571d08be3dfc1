import { DomainError } from '@sextant/domain';
import { fitBgNbd, fitParetoNbd, forecastLifetime, type PurchaseDay } from '@sextant/learning/lifetime';
import type { EvaluationReport, Plot } from '../evaluation/index.js';
import { BASELINES, type Forecast } from './lifetime-baselines.js';
import { calibrationByDecile, type CalibrationBin, lifetimeFigures } from './lifetime-figures.js';
import { lastDayOf, observeCustomers, type ObservedCustomers } from './observed-customers.js';
import { fitSpend, type TrainedLifetime, trainLifetime } from './train-lifetime.js';

export interface LifetimeEvaluation {
  /** Purchase days of each customer, in any order. */
  customers: readonly (readonly PurchaseDay[])[];
  /** Rows read. */
  rows: number;
  /** Last day of the calibration; what comes after it up to the last day of the data is the test. */
  calibrationEnd: number;
  /** Last day of the test; the last day of the data when absent. */
  end?: number;
  periodDays: number;
  seed: number;
}

const TRACKED_POINTS = 12;

/**
 * Purchases and spend after the end of calibration, of the customers known by then, against what they did.
 *
 * @throws DomainError INVALID_INPUT when nothing lies after the end of calibration; DATA_INSUFFICIENT when nothing lies before it
 */
export function evaluateLifetime(input: LifetimeEvaluation): EvaluationReport {
  return measureLifetime(input).report;
}

/** What an evaluation was made of, for whom the report alone is not enough. */
export interface MeasuredLifetime {
  report: EvaluationReport;
  trained: TrainedLifetime;
  /** Customers known at the end of calibration, and what they did after it. */
  observed: ObservedCustomers;
  forecast: Forecast;
}

/** As {@link evaluateLifetime}. */
export function measureLifetime(input: LifetimeEvaluation): MeasuredLifetime {
  const { customers, calibrationEnd: until, periodDays, seed } = input;
  const end = input.end ?? lastDayOf(customers);
  if (!(end > until)) {
    throw new DomainError(
      'INVALID_INPUT',
      `the last purchase is on ${isoDay(end)}, so nothing is left to measure after ${isoDay(until)}: choose an earlier end of calibration`,
    );
  }
  const horizonDays = end - until;
  const trained = trainLifetime(customers, {
    until,
    periodDays,
    horizonDays,
    seed,
    annualDiscountRate: 0,
  });
  const observed = observeCustomers(customers, { until, end, periodDays });
  const forecast = forecastOf(trained, observed, horizonDays / periodDays);
  const figures = (each: Forecast): EvaluationReport['metrics'] => lifetimeFigures(each, observed, { seed });
  const calibration = calibrationByDecile(forecast.purchases, observed.purchases);
  const report: EvaluationReport = {
    task: 'lifetime',
    rows: input.rows,
    test: observed.purchases.length,
    chosen: `${trained.process.parameters.family}${trained.spend === null ? '' : ` with gamma-gamma spend of ${trained.spend.basis === 'all' ? 'all purchases' : 'purchases after the first'}`}`,
    because: trained.choice.because,
    metrics: figures(forecast),
    baselines: mapValues(BASELINES, (baseline) =>
      figures(baseline(observed.histories, horizonDays / periodDays)),
    ),
    leaks: [],
    warnings: trained.warnings,
    details: detailsOf(input, { trained, horizonDays, calibration }),
    plots: [calibrationPlot(calibration), trackingPlot(input, trained, horizonDays)],
  };
  return { report, trained, observed, forecast };
}

function mapValues<T, R>(record: Readonly<Record<string, T>>, map: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

function forecastOf({ model }: TrainedLifetime, { histories }: ObservedCustomers, periods: number): Forecast {
  const { expectedPurchases, value } = forecastLifetime(model, histories, periods);
  return { purchases: expectedPurchases, spend: value };
}

function detailsOf(
  { customers, calibrationEnd, periodDays }: LifetimeEvaluation,
  {
    trained: { spend, choice, observed },
    horizonDays,
    calibration,
  }: { trained: TrainedLifetime; horizonDays: number; calibration: CalibrationBin[] },
): Record<string, unknown> {
  const known = observed.histories.frequency;
  return {
    calibrationEnd: isoDay(calibrationEnd),
    horizonDays,
    periodDays,
    customers: {
      known: known.length,
      boughtAgain: known.reduce((count, x) => count + Number(x > 0), 0),
      firstBoughtLater: customers.length - known.length,
    },
    processes: Object.fromEntries(
      [fitBgNbd(observed.histories), fitParetoNbd(observed.histories)].map((fitted) => {
        const { family, ...parameters } = fitted.parameters;
        return [family, { parameters: described(parameters, fitted), logLikelihood: fitted.logLikelihood }];
      }),
    ),
    validation: choice.validation,
    spend: spend && { basis: spend.basis, bases: spendDetails(observed) },
    calibration,
  };
}

/** The spend model on either basis; only one of them forecasts. */
function spendDetails(observed: ObservedCustomers): Record<string, unknown> {
  const bases = { repeats: fitSpend(observed, 'repeats'), all: fitSpend(observed, 'all') };
  return mapValues(
    bases,
    (fitted) =>
      fitted && {
        parameters: described(fitted.parameters, fitted),
        logLikelihood: fitted.logLikelihood,
        customers: fitted.customers,
        correlationOfSpendAndFrequency: fitted.correlation,
      },
  );
}

/** Each parameter with its standard error and interval. */
function described(
  parameters: object,
  { standardErrors, measured }: Pick<TrainedLifetime['process'], 'standardErrors' | 'measured'>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      { ...measured[name], value, standardError: standardErrors[name] },
    ]),
  );
}

function calibrationPlot(bins: readonly CalibrationBin[]): Plot {
  const points = (value: (bin: CalibrationBin) => number): [string, number][] =>
    bins.map((bin, i) => [String(i + 1), value(bin)]);
  return {
    title: 'Purchases after calibration by tenth of expectation',
    kind: 'bar',
    x: 'tenth of customers',
    y: 'purchases a customer',
    series: [
      { name: 'expected', points: points(({ expected }) => expected) },
      { name: 'actual', points: points(({ actual }) => actual) },
    ],
  };
}

/** Cumulative purchases of all customers after the end of calibration. */
function trackingPlot(
  { customers, calibrationEnd: until, periodDays }: LifetimeEvaluation,
  { model, observed }: TrainedLifetime,
  horizonDays: number,
): Plot {
  const days = Array.from({ length: TRACKED_POINTS }, (_, i) =>
    Math.round(((i + 1) * horizonDays) / TRACKED_POINTS),
  );
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
  const expected = days.map((day): [number, number] => [
    day,
    sum(forecastLifetime({ ...model, spend: null }, observed.histories, day / periodDays).expectedPurchases),
  ]);
  const actual = days.map((day): [number, number] => [
    day,
    sum(observeCustomers(customers, { until, end: until + day, periodDays }).purchases),
  ]);
  return {
    title: 'Purchases of known customers after calibration',
    kind: 'line',
    x: 'days',
    y: 'purchases, cumulated',
    series: [
      { name: 'expected', points: expected },
      { name: 'actual', points: actual },
    ],
  };
}

function isoDay(day: number): string {
  return Number.isFinite(day) ? new Date(day * 86_400_000).toISOString().slice(0, 10) : String(day);
}
