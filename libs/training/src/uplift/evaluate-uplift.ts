import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { type ColumnTable, encodeTable, fitTableEncoder } from '@sextant/learning';
import {
  imbalances,
  inversePropensityScores,
  linearBase,
  qiniCurve,
  sampleRatioP,
  SUSPICIOUS_P,
  type TargetingValue,
  targetingValue,
  formProbabilities,
  type UpliftRows,
} from '@sextant/learning/uplift';
import type { LightGbmProcess } from '@sextant/lightgbm';
import type { EvaluationReport, Plot } from '../evaluation/index.js';
import { lightGbmBase } from './lightgbm-base.js';
import { type TrainedUplift, trainUplift } from './train-uplift.js';
import { upliftLearners } from './uplift-learners.js';

export interface UpliftEvaluation {
  /** Rows read, other arms included. */
  rows: number;
  /** Of the two arms: what was known before the treatment. */
  table: ColumnTable;
  /** 0-based number of each row in the file; decides its fold. */
  ids: readonly number[];
  treated: Uint8Array;
  outcomes: Uint8Array;
  arms: { treated: string; control: string };
  /** Share of the treated arm that was planned; null where nobody drew lots and the propensity has to be estimated. */
  treatedShare: number | null;
  /** Of one action and of one outcome, in one currency; null: not said. */
  money: { cost: number; value: number } | null;
  /** Null where it cannot be loaded; then linear learners only. */
  lightGbm: LightGbmProcess | null;
  seed: number;
}

const PROPENSITY_BOUND = 0.02;

/**
 * What an action changes and for whom, cross-fitted over all rows of the two arms.
 *
 * @throws DomainError DATA_INSUFFICIENT when there is no usable column, or an arm has too few customers with or without the outcome
 */
export async function evaluateUplift(input: UpliftEvaluation): Promise<EvaluationReport> {
  const { table, treated, outcomes, seed } = input;
  const { encoding, leaked, warnings } = fitTableEncoder(table, { purpose: 'linear', labels: outcomes });
  const columns = encoding.features.length;
  if (columns === 0) throw new DomainError('DATA_INSUFFICIENT', `no column of the file can be learnt from`);
  const rows = encodeTable(encoding, table);
  const propensity = await propensities(input, rows, columns);
  const data: UpliftRows = { rows, columns, treated, outcomes, propensity };
  const trees = input.lightGbm === null ? null : lightGbmBase({ lightGbm: input.lightGbm, seed });
  const trained = await trainUplift({ data, ids: input.ids, learners: upliftLearners(trees), seed });
  const money = input.money && targetingValue(data, { ...input.money, effects: trained.effects }, { seed });
  return {
    task: 'uplift',
    rows: input.rows,
    test: treated.length,
    chosen: trained.refused === null ? trained.model.learner : 'none: act on everybody or on nobody',
    because:
      trained.refused ??
      `${trained.because}; its cross-fitted Qini is above 0 and above the response model's`,
    metrics: metricsOf(trained, money),
    baselines: baselinesOf(trained),
    leaks: leaked,
    warnings: [...warnings, ...experimentWarnings(input, { rows, features: encoding.features })],
    details: detailsOf(input, { data, trained, money }),
    plots: plotsOf(data, trained),
  };
}

/** The planned share, as it turned out; estimated by logistic regression and kept off 0 and 1 where nobody drew lots. */
async function propensities(
  { treated, treatedShare }: UpliftEvaluation,
  rows: Float32Array,
  columns: number,
): Promise<Float64Array> {
  const share = treated.reduce((sum, t) => sum + t, 0) / treated.length;
  if (treatedShare !== null) return new Float64Array(treated.length).fill(share);
  const base = linearBase({ l2: 1e-3, regressionL2: 1e-1 });
  const form = await base.probability({ rows, columns, targets: treated });
  return formProbabilities(form, rows, columns).map((p) =>
    Math.min(1 - PROPENSITY_BOUND, Math.max(PROPENSITY_BOUND, p)),
  );
}

function metricsOf(trained: TrainedUplift, money: TargetingValue | null): Record<string, Measured> {
  return {
    qini: trained.qini,
    qiniPerThousand: perThousand(trained.qini),
    auuc: trained.auuc,
    ate: trained.ate,
    ...(money && { netValuePerCustomer: money.targeted }),
  };
}

function baselinesOf({ response, ate, qini }: TrainedUplift): EvaluationReport['baselines'] {
  const zero = { value: 0, low: 0, high: 0, level: qini.level };
  const half = { value: ate.value / 2, low: ate.low / 2, high: ate.high / 2, level: ate.level };
  return {
    random: { qini: zero, qiniPerThousand: zero, auuc: half },
    'response model': { ...response, qiniPerThousand: perThousand(response.qini) },
  };
}

function perThousand({ value, low, high, level }: Measured): Measured {
  return { value: 1000 * value, low: 1000 * low, high: 1000 * high, level };
}

function experimentWarnings(
  { treated, treatedShare, arms }: UpliftEvaluation,
  { rows, features }: { rows: Float32Array; features: string[] },
): string[] {
  const unequal = imbalances(rows, features, treated).map(
    ({ feature, standardised, p }) =>
      `"${feature}" differs between the arms (${standardised.toFixed(3)} standard deviations, p ${p.toPrecision(2)}): was it recorded after the treatment, or were the arms not drawn at random?`,
  );
  if (treatedShare === null)
    return [
      'arms were not drawn at random: the propensity is estimated from the columns, and what they do not hold can still bias every figure',
      ...unequal,
    ];
  const count = treated.reduce((sum, t) => sum + t, 0);
  const counts = { treated: count, control: treated.length - count };
  const p = sampleRatioP(counts, treatedShare);
  const ratio =
    p < SUSPICIOUS_P
      ? [
          `sample ratio mismatch: ${counts.treated} "${arms.treated}" and ${counts.control} "${arms.control}" where a share of ${treatedShare} was planned (p ${p.toPrecision(2)}): find out why before you trust a figure, or say the planned share with --treated-share`,
        ]
      : [];
  return [...ratio, ...unequal];
}

function detailsOf(
  { arms, treatedShare, treated, money: amounts }: UpliftEvaluation,
  { data, trained, money }: { data: UpliftRows; trained: TrainedUplift; money: TargetingValue | null },
): Record<string, unknown> {
  const count = treated.reduce((sum, t) => sum + t, 0);
  const rateOf = (arm: number): number => {
    const own = data.outcomes.filter((_, i) => treated[i] === arm);
    return own.reduce((sum, y) => sum + y, 0) / own.length;
  };
  const { ate } = trained;
  const error = (ate.high - ate.low) / (2 * 1.959963984540054);
  return {
    arms: {
      treated: { name: arms.treated, rows: count, rate: rateOf(1) },
      control: { name: arms.control, rows: treated.length - count, rate: rateOf(0) },
    },
    z: ate.value / error,
    sampleRatioP:
      treatedShare === null
        ? null
        : sampleRatioP({ treated: count, control: treated.length - count }, treatedShare),
    refused: trained.refused,
    learners: trained.tried,
    effectByPredictedEffect: trained.reliability,
    ...(money && {
      targeting: { ...amounts, share: money.share, targeted: money.targeted, everybody: money.everybody },
    }),
    definition:
      'qini: area between Radcliffe’s curve (gain of the treated arm, 2007) and random targeting over the share of customers, a customer of both arms; auuc: area under the curve of Gutierrez and Gérardy (2016); both cross-fitted over five folds (crc32 of the row number modulo 5), the choice of learner repeated inside each',
    averageOfInversePropensityScores:
      inversePropensityScores(data).reduce((sum, score) => sum + score, 0) / treated.length,
  };
}

function plotsOf(data: UpliftRows, trained: TrainedUplift): Plot[] {
  const points = (scores: Float64Array): [number, number][] =>
    qiniCurve({ ...data, scores }).map(({ share, gain }) => [share, gain]);
  const model = points(trained.scores);
  const end = model.at(-1) ?? [1, 0];
  return [
    {
      title: 'Qini curve (cross-fitted)',
      kind: 'line',
      x: 'share of the customers, best first',
      y: 'additional outcomes a customer',
      series: [
        { name: 'model', points: model },
        { name: 'response model', points: points(trained.responseScores) },
        { name: 'random', points: [[0, 0], end] },
      ],
    },
    {
      title: 'Observed effect by predicted effect',
      kind: 'bar',
      x: 'predicted effect up to',
      y: 'observed effect',
      series: [
        {
          name: 'observed',
          points: trained.reliability.map(({ upTo, value }) => [upTo.toFixed(4), value]),
        },
      ],
    },
  ];
}
