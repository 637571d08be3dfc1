import type { BaseFitter } from './base-fitter.js';
import { fixColumn, formProbabilities, type ModelForm, type UpliftModel } from './uplift-model.js';
import { rowsOfArm, takeUpliftRows, type UpliftRows } from './uplift-rows.js';

const FOLDS = 3;

/**
 * T-learner: one outcome model an arm; effect = treated − control.
 *
 * Source: Künzel et al. (2019), "Metalearners for estimating heterogeneous treatment effects using machine learning", PNAS 116(10).
 */
export async function fitTLearner(data: UpliftRows, base: BaseFitter): Promise<UpliftModel> {
  const { treated, control } = await fitArms(data, base);
  return {
    learner: `t-learner over ${base.name}`,
    offset: 0,
    terms: [
      { weight: 1, head: 'sigmoid', form: treated },
      { weight: -1, head: 'sigmoid', form: control },
    ],
  };
}

/**
 * S-learner: one outcome model with the arm as a column; effect = its answer with 1 less its answer with 0. Over a linear base the
 * log-odds of the effect are the same for everybody, so its ranking is that of a response model. Source: Künzel et al. (2019).
 */
export async function fitSLearner(data: UpliftRows, base: BaseFitter): Promise<UpliftModel> {
  const { columns, treated, outcomes } = data;
  const rows = new Float32Array(treated.length * (columns + 1));
  for (let i = 0; i < treated.length; i++) {
    rows.set(data.rows.subarray(i * columns, (i + 1) * columns), i * (columns + 1));
    rows[i * (columns + 1) + columns] = treated[i] ?? 0;
  }
  const form = await base.probability({ rows, columns: columns + 1, targets: outcomes });
  return {
    learner: `s-learner over ${base.name}`,
    offset: 0,
    terms: [
      { weight: 1, head: 'sigmoid', form: withArm(form, columns, 1) },
      { weight: -1, head: 'sigmoid', form: withArm(form, columns, 0) },
    ],
  };
}

/**
 * X-learner: effects imputed by the other arm's outcome model, Y − m₀(X) of the treated and m₁(X) − Y of the control, are
 * regressed on the columns in each arm, and the two regressions mixed by the propensity e: e · control's + (1 − e) · treated's.
 * Where the propensity varies its mean is taken, so that the answer needs the columns only. Source: Künzel et al. (2019).
 */
export async function fitXLearner(data: UpliftRows, base: BaseFitter): Promise<UpliftModel> {
  const arms = await fitArms(data, base);
  const effect = async (arm: 0 | 1): Promise<ModelForm> => {
    const own = takeUpliftRows(data, rowsOfArm(data, arm));
    const other = formProbabilities(arm === 1 ? arms.control : arms.treated, own.rows, own.columns);
    const sign = arm === 1 ? 1 : -1;
    const targets = other.map((p, i) => sign * ((own.outcomes[i] ?? 0) - p));
    return base.regression({ rows: own.rows, columns: own.columns, targets });
  };
  const [control, treated] = [await effect(0), await effect(1)];
  const share = data.propensity.reduce((sum, p) => sum + p, 0) / data.propensity.length;
  return {
    learner: `x-learner over ${base.name}`,
    offset: 0,
    terms: [
      { weight: share, head: 'identity', form: control },
      { weight: 1 - share, head: 'identity', form: treated },
    ],
  };
}

/**
 * DR-learner: the doubly robust score m₁ − m₀ + T (Y − m₁) / e − (1 − T) (Y − m₀) / (1 − e) is regressed on the columns. The
 * outcome models m are fitted on two thirds of the rows and read on the other third (row i is in part i mod 3).
 *
 * Source: Kennedy (2020), "Towards optimal doubly robust estimation of heterogeneous causal effects", arXiv 2004.14497.
 */
export async function fitDrLearner(
  data: UpliftRows,
  { nuisance, base }: { nuisance: BaseFitter; base: BaseFitter },
): Promise<UpliftModel> {
  const targets = await scoresOnce(data, nuisance);
  const form = await base.regression({ rows: data.rows, columns: data.columns, targets });
  return {
    learner: `dr-learner over ${base.name}`,
    offset: 0,
    terms: [{ weight: 1, head: 'identity', form }],
  };
}

const known = new WeakMap<BaseFitter, WeakMap<UpliftRows, Promise<Float64Array>>>();

/** The scores hang on nothing but rows and nuisance: learners over different bases that are given the same rows share them. */
function scoresOnce(data: UpliftRows, nuisance: BaseFitter): Promise<Float64Array> {
  const own = known.get(nuisance) ?? new WeakMap<UpliftRows, Promise<Float64Array>>();
  known.set(nuisance, own);
  const scores = own.get(data) ?? doublyRobustScores(data, nuisance);
  own.set(data, scores);
  return scores;
}

/** Shape [n]; the mean is the augmented inverse-propensity estimate of the mean effect. */
export async function doublyRobustScores(data: UpliftRows, nuisance: BaseFitter): Promise<Float64Array> {
  const scores = new Float64Array(data.treated.length);
  const all = Array.from(data.treated.keys());
  for (let fold = 0; fold < FOLDS; fold++) {
    const train = takeUpliftRows(
      data,
      all.filter((i) => i % FOLDS !== fold),
    );
    const held = all.filter((i) => i % FOLDS === fold);
    const rows = takeUpliftRows(data, held);
    const arms = await fitArms(train, nuisance);
    const m1 = formProbabilities(arms.treated, rows.rows, rows.columns);
    const m0 = formProbabilities(arms.control, rows.rows, rows.columns);
    held.forEach((row, i) => {
      const [y, e] = [rows.outcomes[i] ?? 0, rows.propensity[i] ?? 0.5];
      const [with1, without] = [m1[i] ?? 0, m0[i] ?? 0];
      const residual = rows.treated[i] === 1 ? (y - with1) / e : -(y - without) / (1 - e);
      scores[row] = with1 - without + residual;
    });
  }
  return scores;
}

async function fitArms(
  data: UpliftRows,
  base: BaseFitter,
): Promise<{ treated: ModelForm; control: ModelForm }> {
  const fit = (arm: 0 | 1): Promise<ModelForm> => {
    const own = takeUpliftRows(data, rowsOfArm(data, arm));
    return base.probability({ rows: own.rows, columns: own.columns, targets: own.outcomes });
  };
  return { treated: await fit(1), control: await fit(0) };
}

function withArm(form: ModelForm, column: number, arm: 0 | 1): ModelForm {
  if (form.kind === 'trees') return { kind: 'trees', ensemble: fixColumn(form.ensemble, column, arm) };
  return {
    kind: 'linear',
    coefficients: form.coefficients.slice(0, column),
    intercept: form.intercept + arm * (form.coefficients[column] ?? 0),
  };
}
