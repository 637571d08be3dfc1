import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  absoluteErrors,
  type DemandFamily,
  type DemandRow,
  demandTable,
  fitDemandModel,
  mean,
  measuredMean,
  measuredRootMean,
  predictLogUnits,
  squaredErrors,
} from '@sextant/learning';
import { measuredMape, measuredWape } from '@sextant/learning/metrics';
import type { LightGbmProcess } from '@sextant/lightgbm';
import type { EvaluationReport } from '../evaluation/index.js';
import { describePrices } from './price-details.js';
import type { PriceEvidence } from './price-evidence.js';
import { pricePlots } from './price-plots.js';
import { priceWarnings } from './price-warnings.js';
import {
  curveLogUnits,
  type DemandForecast,
  trainDemand,
  type TrainedDemand,
  trainForecast,
} from './train-demand.js';

export interface PriceEvaluation {
  rows: readonly DemandRow[];
  /** Shape [rows]: held out, seen by no choice. */
  isTest: readonly boolean[];
  evidence?: PriceEvidence | null;
  /** Cost of one unit of each row in the price's own money, shape [rows]; NaN = unknown. Best prices are named where it is given. */
  costs?: ArrayLike<number> | null;
}

export interface PriceEvaluationOptions {
  seed: number;
  lightGbm: LightGbmProcess | null;
  /** Of what is missing here, for the report. */
  notes?: readonly string[];
}

/**
 * Trains on the rows that are not test rows, and measures on those: the forecast of what sells at the prices that occur (`rmseLogUnits`,
 * `wape`, `mape`), and the falling curve that is served and that quotes are searched on (`rmseLogUnitsOfCurve`).
 *
 * @throws DomainError DATA_INSUFFICIENT without a test row or with too few others, and what `trainDemand` throws
 */
export async function evaluatePrice(
  input: PriceEvaluation,
  options: PriceEvaluationOptions,
): Promise<EvaluationReport> {
  const { rows, isTest } = input;
  const train = rows.filter((_, i) => !isTest[i]);
  const test = rows.filter((_, i) => isTest[i]);
  if (test.length === 0)
    throw new DomainError('DATA_INSUFFICIENT', 'the split leaves no test row: choose another --split');
  const trained = await trainDemand(train, { ...options, evidence: evidenceOf(input) });
  const measuring: Measuring = { test, family: trained.family, seed: options.seed };
  const forecast = await trainForecast(train, trained, options);
  const predicted = forecast.fitted.logUnits(demandTable(test));
  const { chosen, reasons } = forecast.choice;
  return {
    task: 'price',
    rows: rows.length,
    test: test.length,
    chosen: `${chosen.candidate.settings}${quotesInWords(trained, forecast)}`,
    because: [...reasons, 'Fitted again on all training rows after the choice.'].join(' '),
    metrics: {
      ...demandMetrics(predicted, chosen.smearing, measuring),
      ...curveMetric(trained, measuring),
    },
    baselines: baselinesOf(train, measuring),
    leaks: [],
    warnings: [
      ...(options.notes ?? []),
      ...trained.causal.warnings,
      ...priceWarnings(train, trained.elasticity),
      ...unseenProducts(train, test),
    ],
    details: describePrices(trained, {
      rows: train,
      costs: input.costs ? Float64Array.from(input.costs).filter((_, i) => !isTest[i]) : null,
    }),
    plots: pricePlots(trained, { train, test, predicted, smearing: chosen.smearing }),
  };
}

function evidenceOf({ evidence, isTest }: PriceEvaluation): PriceEvidence | null {
  if (!evidence) return null;
  const kept = (_: unknown, i: number): boolean => !isTest[i];
  return evidence.kind === 'experiment'
    ? { kind: 'experiment', randomised: evidence.randomised.filter(kept) }
    : { kind: 'instrument', values: Array.from(evidence.values).filter(kept) };
}

function quotesInWords({ choice, response }: TrainedDemand, forecast: DemandForecast): string {
  const basis = {
    observed: 'as observed',
    experiment: 'from the experiment',
    instrument: 'by the instrument',
  };
  const model = choice.chosen === forecast.choice.chosen ? '' : choice.chosen.candidate.settings;
  const moved = response ? `its usual prices moved along the elasticity ${basis[response.basis]}` : '';
  const curve = [model, moved].filter((part) => part !== '').join(', ');
  return curve === '' ? '' : `; prices are moved on ${curve}`;
}

interface Measuring {
  test: readonly DemandRow[];
  family: DemandFamily;
  seed: number;
}

/** WAPE and MAPE take the median of units for log-normal errors, the mean for counts. */
function demandMetrics(
  logUnits: Float64Array,
  smearing: number,
  { test, family, seed }: Measuring,
): Record<string, Measured> {
  const actual = Float64Array.from(test, ({ units }) => units);
  const units = logUnits.map((value) => Math.exp(value) * (family === 'poisson' ? smearing : 1));
  return {
    ...(family === 'gaussian' ? { rmseLogUnits: rootMean(logUnits, actual, seed) } : {}),
    ...(family === 'poisson' ? { poissonDeviance: measuredMean(deviances(actual, units), { seed }) } : {}),
    maeUnits: measuredMean(absoluteErrors(actual, units), { seed }),
    wape: measuredWape(actual, units, { seed }),
    ...(actual.some((value) => value > 0) ? { mape: measuredMape(actual, units, { seed }) } : {}),
  };
}

function curveMetric(trained: TrainedDemand, { test, family, seed }: Measuring): Record<string, Measured> {
  if (family !== 'gaussian') return {};
  const actual = Float64Array.from(test, ({ units }) => units);
  return { rmseLogUnitsOfCurve: rootMean(curveLogUnits(trained, test), actual, seed) };
}

function rootMean(logUnits: Float64Array, actual: Float64Array, seed: number): Measured {
  return measuredRootMean(
    squaredErrors(
      actual.map((value) => Math.log(Math.max(value, 1e-9))),
      logUnits,
    ),
    { seed },
  );
}

function deviances(actual: Float64Array, expected: Float64Array): Float64Array {
  return actual.map((y, i) => {
    const mu = Math.max(1e-9, expected[i] ?? 0);
    return 2 * ((y > 0 ? y * Math.log(y / mu) : 0) - (y - mu));
  });
}

function baselinesOf(
  train: readonly DemandRow[],
  measuring: Measuring,
): Record<string, Record<string, Measured>> {
  const { test, family } = measuring;
  const value = ({ units }: DemandRow): number => (family === 'gaussian' ? Math.log(units) : units);
  const overall = mean(train.map(value));
  const means = new Map(
    [...Map.groupBy(train, ({ product }) => product)].map(([product, own]) => [
      product,
      mean(own.map(value)),
    ]),
  );
  const ofProduct = Float64Array.from(test, ({ product }) => {
    const found = means.get(product) ?? overall;
    return family === 'gaussian' ? found : Math.log(Math.max(1e-6, found));
  });
  const logLog = fitDemandModel(train, family, 'price-without-context');
  const regression = predictLogUnits(logLog, demandTable(test));
  return {
    'mean of each product': demandMetrics(ofProduct, 1, measuring),
    'log-log regression on the price': demandMetrics(regression, 1, measuring),
  };
}

function unseenProducts(train: readonly DemandRow[], test: readonly DemandRow[]): string[] {
  const known = new Set(train.map(({ product }) => product));
  const unseen = new Set(test.flatMap(({ product }) => (known.has(product) ? [] : [product])));
  return unseen.size > 0
    ? [
        `${unseen.size} products of the test rows are not in the training rows: they are predicted as the average product.`,
      ]
    : [];
}
