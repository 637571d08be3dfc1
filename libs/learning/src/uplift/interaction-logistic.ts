import { type LogisticModel, softplus } from '../score/logistic.js';
import { minimise } from '../score/minimise.js';
import type { UpliftModel } from './uplift-model.js';
import { takeUpliftRows, type UpliftRows } from './uplift-rows.js';

/** Log-odds of the outcome: base(x) + (treated − ½) · effect(x), both linear. */
export interface InteractionLogistic {
  base: LogisticModel;
  effect: LogisticModel;
}

/** From the strongest penalty down, so that each fit starts at its neighbour. */
export const INTERACTION_PENALTIES = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3] as const;

const FOLDS = 3;
const GRADIENT_TOLERANCE = 1e-5;
/** While penalties are compared: their losses differ by far more. */
const ROUGH_TOLERANCE = 1e-4;

export interface InteractionFit {
  /** Ridge penalty a row, > 0. */
  l2: number;
  start?: InteractionLogistic;
  /** Largest entry of the gradient at the end; 1e-5 when absent. */
  tolerance?: number;
}

/**
 * Logistic regression with treatment interactions: minimises mean log-loss + l2 / 2 · (|b|² + |e|²) over the coefficients b of
 * the base and e of the effect; the two intercepts are free. The arm is coded ±½, so that the penalty draws the two arms alike.
 *
 * @throws RangeError when l2 is not positive
 *
 * Source: Lo (2002), "The true lift model", ACM SIGKDD Explorations 4(2), with the coding of Tian et al. (2014), JASA 109(508).
 */
export function fitInteractionLogistic(
  data: UpliftRows,
  { l2, start, tolerance = GRADIENT_TOLERANCE }: InteractionFit,
): InteractionLogistic {
  if (!(l2 > 0)) throw new RangeError(`l2 must be positive, got ${l2}`);
  const { columns } = data;
  const from = new Float64Array(2 * columns + 2);
  if (start !== undefined) from.set([...start.base.coefficients, start.base.intercept]);
  if (start !== undefined) from.set([...start.effect.coefficients, start.effect.intercept], columns + 1);
  const at = minimise((point, gradient) => lossAt(data, { l2, point, gradient }), from, {
    gradientTolerance: tolerance,
  });
  const part = (offset: number): LogisticModel => ({
    coefficients: at.slice(offset, offset + columns),
    intercept: at[offset + columns] ?? 0,
  });
  return { base: part(0), effect: part(columns + 1) };
}

/** Log-odds in one arm, as a linear model. */
export function armModel({ base, effect }: InteractionLogistic, arm: 0 | 1): LogisticModel {
  const half = arm - 0.5;
  return {
    coefficients: base.coefficients.map((b, j) => b + half * (effect.coefficients[j] ?? 0)),
    intercept: base.intercept + half * effect.intercept,
  };
}

/** σ(margin treated) − σ(margin control). */
export function interactionUplift(model: InteractionLogistic): UpliftModel {
  return {
    learner: 'interaction-logistic',
    offset: 0,
    terms: [
      { weight: 1, head: 'sigmoid', form: { kind: 'linear', ...armModel(model, 1) } },
      { weight: -1, head: 'sigmoid', form: { kind: 'linear', ...armModel(model, 0) } },
    ],
  };
}

/**
 * The penalty with the least cross-fitted log-loss on three parts of the rows (row i is in part i mod 3), looked for from the
 * strongest down until the loss rises. Log-loss and not Qini decides: it uses every outcome, while Qini of a part is mostly noise.
 *
 * @param penalties  descending, at least one
 */
export function chooseInteractionPenalty(
  data: UpliftRows,
  penalties: readonly number[] = INTERACTION_PENALTIES,
): number {
  const parts: (Part & { start?: InteractionLogistic })[] = Array.from({ length: FOLDS }, (_, fold) =>
    splitOff(data, fold),
  ).filter(({ train }) => train.treated.length > 0);
  let best = { l2: penalties[0] ?? 1e-3, loss: Infinity };
  for (const l2 of penalties) {
    let loss = 0;
    for (const part of parts) {
      const { train, held, start } = part;
      const fit = { l2, tolerance: ROUGH_TOLERANCE };
      part.start = fitInteractionLogistic(train, start === undefined ? fit : { ...fit, start });
      loss += sumOfLosses(part.start, held);
    }
    if (loss > best.loss) break;
    if (loss < best.loss) best = { l2, loss };
  }
  return best.l2;
}

interface Part {
  train: UpliftRows;
  held: UpliftRows;
}

function splitOff(data: UpliftRows, fold: number): Part {
  const all = Array.from(data.treated.keys());
  return {
    train: takeUpliftRows(
      data,
      all.filter((i) => i % FOLDS !== fold),
    ),
    held: takeUpliftRows(
      data,
      all.filter((i) => i % FOLDS === fold),
    ),
  };
}

function sumOfLosses(model: InteractionLogistic, data: UpliftRows): number {
  let sum = 0;
  for (let i = 0; i < data.treated.length; i++) {
    const margin = marginAt(data, i, { ...model, half: (data.treated[i] ?? 0) - 0.5 });
    sum += softplus(data.outcomes[i] === 1 ? -margin : margin);
  }
  return sum;
}

function marginAt(
  { rows, columns }: UpliftRows,
  i: number,
  { base, effect, half }: InteractionLogistic & { half: number },
): number {
  let margin = base.intercept + half * effect.intercept;
  for (let j = 0; j < columns; j++) {
    const slope = (base.coefficients[j] ?? 0) + half * (effect.coefficients[j] ?? 0);
    margin += slope * (rows[i * columns + j] ?? 0);
  }
  return margin;
}

interface At {
  l2: number;
  point: Float64Array;
  gradient: Float64Array;
}

/** By arms: the sums of the slope times the cell in each arm give both gradients. */
function lossAt(data: UpliftRows, { l2, point, gradient }: At): number {
  const { rows, columns, treated, outcomes } = data;
  const n = treated.length;
  const width = columns + 1;
  const arms = [armPoint(point, width, -0.5), armPoint(point, width, 0.5)] as const;
  const slopes = [new Float64Array(width), new Float64Array(width)] as const;
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const isTreated = treated[i] === 1;
    const weights = isTreated ? arms[1] : arms[0];
    const slopeSums = isTreated ? slopes[1] : slopes[0];
    const offset = i * columns;
    let margin = weights[columns] ?? 0;
    for (let j = 0; j < columns; j++) margin += (weights[j] ?? 0) * (rows[offset + j] ?? 0);
    const label = outcomes[i] ?? 0;
    const odds = Math.exp(-Math.abs(margin));
    loss += (Math.max(label === 1 ? -margin : margin, 0) + Math.log1p(odds)) / n;
    const slope = ((margin >= 0 ? 1 : odds) / (1 + odds) - label) / n;
    for (let j = 0; j < columns; j++) slopeSums[j] = (slopeSums[j] ?? 0) + slope * (rows[offset + j] ?? 0);
    slopeSums[columns] = (slopeSums[columns] ?? 0) + slope;
  }
  for (let j = 0; j < width; j++) {
    const [control, acted] = [slopes[0][j] ?? 0, slopes[1][j] ?? 0];
    const penalty = j < columns ? l2 : 0;
    const [b, e] = [point[j] ?? 0, point[width + j] ?? 0];
    gradient[j] = control + acted + penalty * b;
    gradient[width + j] = (acted - control) / 2 + penalty * e;
    loss += (penalty / 2) * (b * b + e * e);
  }
  return loss;
}

function armPoint(point: Float64Array, width: number, half: number): Float64Array {
  return Float64Array.from({ length: width }, (_, j) => (point[j] ?? 0) + half * (point[width + j] ?? 0));
}
